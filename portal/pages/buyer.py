"""What a buyer sees of his order, by the link that the store sent him."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from connectors.records import OrderStatus as S
from orders.buyers import first_name, order_of
from orders.carriers import tracking_link
from orders.models import Order
from orders.status import ENDED, STAGE

STEPS = (S.PENDING, S.APPROVED, S.INVOICED, S.SHIPPED, S.DELIVERED)
# At a step that is not done yet: in part, or refused by the channel.
UNDONE = {
    S.INVOICE_ERROR, S.PARTIAL_INVOICED, S.SHIPPING_ERROR, S.PARTIAL_SHIPPED, S.PARTIAL_DELIVERED,
}  # fmt: skip
# What went wrong is the store's to mend; its buyer is told how far the order came.
INTERNAL = {S.INVOICE_ERROR: S.APPROVED, S.SHIPPING_ERROR: S.INVOICED}
# A buyer would take the hub's own word, "Entrega informada", for a delivery that was made.
PLAIN = {S.SHIPPING_INFORMED: gettext_lazy("Envio informado pela loja")}
PRIVATE = {
    "Cache-Control": "no-store, private",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class BuyerPage(TemplateView):
    template_name = "pages/buyer.html"

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        order = order_of(token)
        context = about(order) if order else {}
        return self.render_to_response(
            {"view": self, **context}, status=200 if order else 404, headers=PRIVATE
        )


def about(order: Order) -> dict[str, Any]:
    at: dict[int, Any] = {}
    for change in order.status_changes.all():
        if change.applied and change.status not in UNDONE:
            at.setdefault(STAGE[S(change.status)], change.at)
    stage = STAGE[S(order.status)] - (order.status in UNDONE)
    status = INTERNAL.get(S(order.status), S(order.status))
    return {
        "order": order,
        "status": status,
        "status_label": PLAIN.get(status, status.label),
        "name": first_name(order),
        "ended": S(order.status) in ENDED,
        "steps": [
            {"status": step, "done": done, "at": at.get(STAGE[step]) if done else None}
            for step in STEPS
            for done in [STAGE[step] <= stage]
        ],
        "parcels": [
            {"shipment": shipment, "link": tracking_link(shipment)}
            for shipment in order.shipments.all()
            if shipment.track_code
        ],
    }
