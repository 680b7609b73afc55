"""The link by which a buyer follows his order without an account: signed, for a time, and void once
the store revokes it."""

from datetime import timedelta
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from connectors.acts import record_act
from connectors.redaction import MASK
from orders.models import Order

LIFE = timedelta(days=120)
SIGNER = signing.TimestampSigner(salt="orders.buyers")


def buyer_url(order: Order) -> str:
    """As somebody who is sent it reaches it."""
    token = SIGNER.sign(f"{order.public_id}.{order.buyer_links}")
    return urljoin(settings.PORTAL_URL, reverse("buyer", args=[token]))


def order_of(token: str) -> Order | None:
    """None for a link that is not ours, too old, or revoked: nobody learns which."""
    try:
        public_id, _sep, number = SIGNER.unsign(token, max_age=LIFE).partition(".")
    except signing.BadSignature:
        return None
    orders = Order.objects.select_related("store").prefetch_related(
        "lines", "shipments", "status_changes"
    )
    return orders.filter(public_id=public_id, buyer_links=number).first()


@transaction.atomic
def revoke_links(order_id: int, by: User) -> None:
    """Every link to the order's page that was ever given away."""
    order = Order.objects.select_related("store").get(pk=order_id)
    Order.objects.filter(pk=order_id).update(buyer_links=F("buyer_links") + 1)
    record_act(by, order, _("Links do comprador revogados."))


def first_name(order: Order) -> str:
    """Of whoever bought: all that a page without a login says of him."""
    for who in ("payer", "receiver"):
        words = str(order.fields.get(f"{who}_name") or "").split()
        if words and words[0] != MASK:  # an anonymised order names nobody
            return words[0][:40]
    return ""
