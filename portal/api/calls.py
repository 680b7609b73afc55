"""What a partner's call tells us of his integration's flows (connectors/trouble/freshness.py)."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from connectors.contract import Flow
from connectors.models import Activation
from connectors.trouble.freshness import NOTED_EVERY, note_call

PRICES, QUANTITIES = frozenset({"price", "special_price"}), frozenset({"quantity"})
NAMES = frozenset({"sku", "id", "variations"})  # which product it is about, and nothing of it
WRITES = ("POST", "PUT")
CALLER_KEY = "tomada.caller"  # of the request's META: the activation whose credential it brought


# When this process noted which kind of call last: until it is noted again, there is nothing to ask
# the database.
_noted: dict[tuple[str | None, frozenset[Flow], bool, bool], datetime] = {}
MOST_KEPT = 10_000


def note_partners_call(request: HttpRequest, response: HttpResponse) -> None:
    """At most one statement, whatever was called."""
    activation: Activation | None = request.META.get(CALLER_KEY)
    if activation is None or request.resolver_match is None:
        return
    succeeded = response.status_code < 400
    good = succeeded or _was_true_already(response)
    changed = succeeded and request.method in WRITES
    flows = frozenset(_flows(request, response, good))
    kind, now = (activation.client_id, flows, good, changed), timezone.now()
    if flows and not (kind in _noted and abs(now - _noted[kind]) < NOTED_EVERY):
        note_call(activation.pk, flows, good=good, changed=changed)
        if len(_noted) >= MOST_KEPT:
            _noted.clear()
        _noted[kind] = now


def _flows(request: HttpRequest, response: HttpResponse, good: bool) -> set[Flow]:
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    if "order" in name:
        return {Flow.FULFILMENT if request.method == "PUT" else Flow.ORDERS}
    if request.method not in WRITES:
        return set()
    if name.endswith("-stock"):
        return {Flow.STOCK}
    if name not in ("product-list", "product-detail", "sku-detail"):
        return set()
    context = getattr(response, "renderer_context", {})
    # What was refused may never have been read.
    return _of_product(context["request"].data) if good else {Flow.PRODUCTS}


def _of_product(document: dict[str, Any]) -> set[Flow]:
    """By what the document holds: many send prices and stock as parts of a product."""
    if isinstance(wrapped := document.get("Product"), dict):
        document = wrapped
    names = set(document)
    variations = document.get("variations")
    for variation in variations if isinstance(variations, list) else []:
        names |= set(variation) if isinstance(variation, dict) else set()
    flows = {Flow.PRICES} if names & PRICES else set()
    if names & QUANTITIES:
        flows.add(Flow.STOCK)
    if names - PRICES - QUANTITIES - NAMES:
        flows.add(Flow.PRODUCTS)
    return flows


def _was_true_already(response: HttpResponse) -> bool:
    data = getattr(response, "data", None)
    return isinstance(data, dict) and data.get("type") == "not_updated"
