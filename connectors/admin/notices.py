"""What partners were told, and whether their addresses answer."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.errors import Refused
from connectors.messages.notices import replay
from connectors.models import Breaker, Endpoint, Notice

BREAKER_COLOURS = {
    Breaker.CLOSED: "success",
    Breaker.OPEN: "warning",
    Breaker.HALF_OPEN: "warning",
    Breaker.DISABLED: "danger",
}
WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given_up"
LABELS = {WAITING: _("Na fila"), DELIVERED: _("Entregue"), GIVEN_UP: _("Desistimos")}


class EndpointInline(ReadOnlyInline):
    model = Endpoint
    fields = (
        "shown_breaker", "disabled_reason", "failures_in_a_row", "failing_since", "open_until",
        "last_success_at",
    )  # fmt: skip
    readonly_fields = fields

    @display(description=_("notificações"))
    def shown_breaker(self, endpoint: Endpoint) -> str:
        return str(endpoint.breaker.label)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = (
        "activation", "topic", "action", "object_id", "created_at", "shown_end", "attempts",
        "next_attempt_at", "last_status", "last_error",
    )  # fmt: skip
    list_filter = (
        "topic",
        ("delivered_at", admin.EmptyFieldListFilter),
        ("given_up_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("activation__store", "activation__endpoint")
    search_fields = ("object_id",)
    actions = ("replay_selected",)

    @display(
        description=_("situação"),
        label={WAITING: "info", DELIVERED: "success", GIVEN_UP: "danger"},
    )
    def shown_end(self, notice: Notice) -> tuple[str, Any]:
        end = DELIVERED if notice.delivered_at else GIVEN_UP if notice.given_up_at else WAITING
        return end, LABELS[end]

    @display(description=_("próxima tentativa"), ordering="due_at")
    def next_attempt_at(self, notice: Notice) -> datetime | None:
        """Not before its address is tried again."""
        if notice.delivered_at or notice.given_up_at:
            return None
        return max(notice.due_at, notice.activation.endpoint.open_until or notice.due_at)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_notice")

    @admin.action(description=_("Enviar outra vez"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        try:
            tell_replayed(request, replay(queryset))
        except Refused as error:
            messages.error(request, str(error))


def tell_replayed(request: HttpRequest, count: int) -> None:
    if count:
        messages.success(request, _("Notificações de volta à fila: %(n)d.") % {"n": count})
    else:
        messages.info(request, _("Nada a enviar outra vez: já está tudo na fila."))


class MomentField(forms.DateTimeField):
    widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})


class ReplayForm(forms.Form):
    """A window of time, its ends included."""

    start = MomentField(label=_("De"))
    end = MomentField(label=_("Até"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "start" in cleaned and "end" in cleaned and cleaned["end"] < cleaned["start"]:
            self.add_error("end", _("O fim vem antes do começo."))
        return cleaned
