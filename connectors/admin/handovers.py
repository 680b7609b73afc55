from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from connectors.admin.columns import Labelled
from connectors.admin.readonly import ReadOnlyInline
from connectors.models import Handover


class HandoverInline(ReadOnlyInline):
    """Who opened which link, from where and when."""

    model = Handover
    fields = (
        "shown_situation", "created_by", "created_at", "expires_at", "opened_at", "opened_from",
        "opened_with", "credential",
    )  # fmt: skip
    readonly_fields = fields

    @display(
        description=_("situação"),
        label={"waiting": "info", "opened": "success", "expired": "warning", "withdrawn": "danger"},
    )
    def shown_situation(self, handover: Handover) -> Labelled:
        names = {
            "waiting": gettext("Esperando"),
            "opened": gettext("Aberta"),
            "expired": gettext("Venceu"),
            "withdrawn": gettext("Retirada"),
        }
        return Labelled(handover.situation, names[handover.situation])
