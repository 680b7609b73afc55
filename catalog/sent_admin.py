"""What channels were sent of the catalogue: of each SKU what, when, and what they said."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.models import Sent, Situation
from catalog.resending import send_again
from connectors.admin.columns import (
    INTEGRATION,
    NARROW,
    IntegrationColumn,
    Labelled,
    moment_of,
    short,
    two_lines,
)
from connectors.admin.paging import CodesFirst
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.models.activations import OVER
from connectors.store_field import RowFilter

COLOURS = {
    Situation.SENT: "success",
    Situation.WAITING: "info",
    Situation.REFUSED: "danger",
    Situation.NOTHING: "info",
}


class SituationFilter(admin.SimpleListFilter):
    title = _("situação")
    parameter_name = "situation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Situation.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in Situation.values:
            return queryset.in_situation(str(self.value()))
        return queryset


@admin.register(Sent)
class SentAdmin(CodesFirst, IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "shown_sku", "integration", "flow", "shown_code", "shown_situation", "shown_answered",
    )  # fmt: skip
    when_empty = _(
        "Nada enviado ainda: o catálogo da loja sai para os canais que o recebem. Ative um canal"
        " para a loja e confira os fluxos dele."
    )
    shown_answered = moment_of(Sent, "answered_at")
    list_filter = (
        SituationFilter, "flow",
        ("activation__store", RowFilter),
        ("activation", RowFilter),
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = (*INTEGRATION, "product")
    code_fields = ("code", "product__sku")
    search_fields = ("code", "product__sku")
    ordering = ("-pk",)
    actions = ("send_again_selected",)
    fields = (
        "sku", "activation", "flow", "code", "external_id", "shown_situation", "answered_at",
        "changed_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sent]:
        return super().get_queryset(request).defer("elements", "unanswered")

    @display(description=_("SKU"))
    def shown_sku(self, sent: Sent) -> SafeString:
        return short(self.sku(sent), NARROW)

    @display(description=_("código no canal"))
    def shown_code(self, sent: Sent) -> SafeString:
        return two_lines(sent.code, sent.external_id)

    @display(description=_("SKU"))
    def sku(self, sent: Sent) -> str:
        return sent.product.sku if sent.product else str(_("Apagado aqui"))

    @display(description=_("situação"), label=COLOURS)
    def shown_situation(self, sent: Sent) -> Labelled:
        return Labelled(sent.situation, sent.situation.label)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_sent")

    @admin.action(description=_("Enviar outra vez"), permissions=["send"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Sent]) -> None:
        able = queryset.exclude(activation__state__in=OVER)
        whose, what = able.values("activation"), _("Catálogo enviado outra vez.")
        if count := self.do_and_record(request, whose, what, lambda: send_again(queryset)):
            messages.success(request, _("Voltam a ser enviados: %(n)d.") % {"n": count})
        else:
            messages.info(request, _("Nada a enviar: a integração não está ativa."))
