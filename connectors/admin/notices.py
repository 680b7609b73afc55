"""What partners were told, and whether their addresses answer."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from connectors.admin.columns import (
    INTEGRATION,
    IntegrationColumn,
    moment,
    moment_of,
    two_lines,
)
from connectors.admin.paging import one_of
from connectors.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from connectors.admin.situations import SituationFilter
from connectors.errors import Refused
from connectors.forms import check_year
from connectors.messages.notices import replay, replayable
from connectors.models import Breaker, Endpoint, Notice

BREAKER_COLOURS = {
    Breaker.CLOSED: "success",
    Breaker.OPEN: "warning",
    Breaker.HALF_OPEN: "warning",
    Breaker.DISABLED: "danger",
}
TOPICS = [(topic, topic) for topic in ("orders", "products", "skus")]
WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given_up"
LABELS = {WAITING: _("Na fila"), DELIVERED: _("Entregue"), GIVEN_UP: _("Desistimos")}


class DeliveredFilter(SituationFilter):
    situations = (
        (WAITING, LABELS[WAITING], Q(delivered_at=None, given_up_at=None)),
        (DELIVERED, LABELS[DELIVERED], Q(delivered_at__isnull=False)),
        (GIVEN_UP, LABELS[GIVEN_UP], Q(given_up_at__isnull=False)),
    )


class EndpointInline(ReadOnlyInline):
    model = Endpoint
    per_page = None  # there is one
    fields = (
        "shown_breaker", "disabled_reason", "failures_in_a_row", "failing_since", "open_until",
        "last_success_at",
    )  # fmt: skip
    readonly_fields = fields

    @display(description=_("notificações"))
    def shown_breaker(self, endpoint: Endpoint) -> str:
        return str(endpoint.breaker.label)


@admin.register(Notice)
class NoticeAdmin(IntegrationColumn, ReadOnlyAdmin):
    list_display = (
        "integration", "shown_object", "shown_end", "shown_created", "shown_next", "shown_answer",
    )  # fmt: skip
    when_empty = _(
        "Nenhuma notificação ainda: uma sai quando um pedido ou produto muda e o parceiro tem URL."
        " Confira na integração se ela tem endereço e se ele está ligado."
    )
    list_filter = (DeliveredFilter, one_of("topic", _("assunto"), TOPICS))
    list_select_related = (*INTEGRATION, "activation__endpoint")
    search_fields = ("object_id__exact",)
    actions = ("replay_selected",)

    @display(
        description=_("situação"),
        label={WAITING: "info", DELIVERED: "success", GIVEN_UP: "danger"},
    )
    def shown_end(self, notice: Notice) -> tuple[str, Any]:
        end = DELIVERED if notice.delivered_at else GIVEN_UP if notice.given_up_at else WAITING
        return end, LABELS[end]

    shown_created = moment_of(Notice, "created_at")

    @display(description=_("registro"))
    def shown_object(self, notice: Notice) -> SafeString:
        return two_lines(notice.object_id, f"{notice.topic}/{notice.action}")

    @display(description=_("última resposta"))
    def shown_answer(self, notice: Notice) -> SafeString:
        return two_lines(
            f"{notice.last_status or '–'} ({notice.attempts}×)", notice.last_error, "8rem"
        )

    @display(description=_("próxima tentativa"))
    def shown_next(self, notice: Notice) -> SafeString | None:
        return moment(self.next_attempt_at(notice))

    @display(description=_("próxima tentativa"))
    def next_attempt_at(self, notice: Notice) -> datetime | None:
        """Not before its address is tried again."""
        if notice.delivered_at or notice.given_up_at:
            return None
        return max(notice.due_at, notice.activation.endpoint.open_until or notice.due_at)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("connectors.change_notice")

    @admin.action(description=_("Enviar outra vez"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        whose = replayable(queryset).values("activation")
        what = _("Notificações enviadas outra vez.")
        try:
            count = self.do_and_record(request, whose, what, lambda: replay(queryset))
            tell_replayed(request, count)
        except Refused as error:
            messages.error(request, str(error))


def tell_replayed(request: HttpRequest, count: int) -> None:
    if count:
        messages.success(request, _("Notificações de volta à fila: %(n)d.") % {"n": count})
    else:
        tell_nothing_replayed(request)


def tell_nothing_replayed(request: HttpRequest) -> None:
    text = _("Nada a enviar outra vez: já está tudo na fila, ou não há mais a quem enviar.")
    messages.info(request, text)


class MomentField(forms.DateTimeField):
    default_validators = [check_year]
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
