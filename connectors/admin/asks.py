from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from connectors.admin.columns import moment_of, text_of
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.asks import answer_ask
from connectors.models import Ask


@admin.register(Ask)
class AskAdmin(ReadOnlyAdmin):
    """What merchants ask for; whoever activates it marks it as seen to."""

    list_display = (
        "connector", "store", "shown_text", "asked_by", "shown_asked", "shown_answered",
    )  # fmt: skip
    when_empty = _(
        "Nenhum pedido de lojista: eles chegam quando alguém pede um conector ou uma configuração"
        " que só o suporte liga. Quando houver um, ative o conector e marque-o como atendido."
    )
    list_filter = (("answered_at", admin.EmptyFieldListFilter),)
    list_select_related = ("connector", "store", "asked_by")
    search_fields = ("store__name__called", "connector__name__called")
    fields = ("connector", "store", "text", "asked_by", "asked_at", "answered_at")
    shown_text = text_of(Ask, "text")
    shown_asked = moment_of(Ask, "asked_at")
    shown_answered = moment_of(Ask, "answered_at")
    actions = ("mark_answered",)

    @action(description=_("Marcar como atendidos"), permissions=["answer"])
    def mark_answered(self, request: HttpRequest, queryset: QuerySet[Ask]) -> None:
        answered = 0
        for ask in queryset:
            with transaction.atomic():  # with its record, or not at all
                if answer_ask(ask.pk):
                    answered += 1
                    self.record(request, ask, str(_("Atendido.")), {})
        self.message_user(request, _("Atendidos: %d.") % answered, messages.SUCCESS)

    def has_answer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_ask")
