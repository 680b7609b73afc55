"""What an operator does to one integration: asked before it is done, and on record after."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from connectors.admin.asking import ask, page_of
from connectors.admin.recorded import RecordedAdmin
from connectors.errors import Refused
from connectors.models import Activation


def nothing_to_know(activation: Activation) -> Sequence[tuple[Any, Any]]:
    return ()


class ConfirmingAdmin(RecordedAdmin):
    def _once_asked(
        self,
        request: HttpRequest,
        object_id: str,
        title: Any,
        question: Any,
        do: Callable[[Activation], HttpResponse | None],
        form: Form | None = None,
        facts: Callable[[Activation], Sequence[tuple[Any, Any]]] = nothing_to_know,
    ) -> HttpResponse:
        """Ask; at the POST, `do` it. Where that has no answer of its own, back to the page."""
        activation = get_object_or_404(Activation, pk=object_id)
        if request.method != "POST" or (form is not None and not form.is_valid()):
            question = question % {"activation": activation}
            return ask(self, request, activation, title, question, form, facts(activation))
        answer = None
        try:
            # With its record, or not at all.
            with transaction.atomic():
                answer = do(activation)
        except Refused as error:
            messages.error(request, str(error))
        return answer or HttpResponseRedirect(page_of(activation))

    def _note(self, request: HttpRequest, activation: Activation, what: Any) -> None:
        self.log_change(request, activation, str(what))
        messages.success(request, what)
