"""What a comparison found and a person asks for: fetched by the flow that it belongs to."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.codes import product_ids
from catalog.models import Product
from catalog.taking import forget_records
from connectors.contract import CATALOGUE_SOURCES, Ability, Flow, SkuSearch
from connectors.errors import ConnectorError, Refused
from connectors.models import Activation, ActivationFlow, Comparison, Difference, Ring, Run
from connectors.runs.dispatch import make_due
from connectors.services import client_of

SOURCES: Mapping[str, type[Ability]] = {each.__name__: each for each in CATALOGUE_SOURCES}


def fetch_asked() -> None:
    """What people asked for is fetched by its flow: alone, where its platform finds a SKU; where
    not, the flow reads everything anew for it."""
    asked = _asked().filter(flow__in=[each.flow for each in CATALOGUE_SOURCES])
    wanted = asked.order_by().values_list("comparison__activation", "flow").distinct()
    ids = {activation_id for activation_id, _flow in wanted}
    activations = Activation.objects.select_related("connector", "store").in_bulk(ids)
    for activation_id, flow in wanted:
        try:
            client = client_of(activations[activation_id], Flow(flow))
        except (ConnectorError, Refused):
            client = None  # it has none any more: its flow, if it still has that, says why
        if isinstance(client, SkuSearch):
            _fetch_alone(activations[activation_id], flow, client)
        else:
            _read_anew(activation_id, flow)


def _asked() -> QuerySet[Difference]:
    # What a channel lacks or has otherwise is sent to it (catalog/resending.py).
    to_channels = Comparison.Purpose.CHANNEL
    return Difference.objects.to_do().exclude(comparison__purpose=to_channels)


def _fetch_alone(activation: Activation, flow: str, client: SkuSearch) -> None:
    asked = _asked().filter(comparison__activation=activation, flow=flow)
    codes = dict(asked.values_list("pk", "record_id"))
    found = _searched_by(activation, flow, set(codes.values()))
    if found:
        _ring_for(activation, flow, client, found)
        done = [pk for pk, code in codes.items() if code in found]
        Difference.objects.filter(pk__in=done).update(
            done_at=timezone.now(), result=_("Buscado sozinho, pelo SKU.")
        )
    if len(found) < len(set(codes.values())):
        _read_anew(activation.pk, flow)


def _searched_by(activation: Activation, flow: str, codes: set[str]) -> dict[str, str]:
    """By code, the SKU to search for: platforms list a variation under its parent. A level of what
    is not known here cannot be searched for: its parent is not known either."""
    ids = product_ids(activation.store, codes, activation)
    products = Product.objects.select_related("parent").in_bulk(set(ids.values()))
    parents = {code: products[pk].parent for code, pk in ids.items() if pk in products}
    return {
        code: parent.sku if (parent := parents.get(code)) else code
        for code in codes
        if code in parents or flow == Flow.PRODUCTS
    }


@transaction.atomic
def _ring_for(
    activation: Activation, flow: str, client: SkuSearch, found: Mapping[str, str]
) -> None:
    flows = activation.flows.filter(flow=flow, ability__in=SOURCES)
    for each in flows:
        numbers = {client.number_of_sku(SOURCES[each.ability], sku) for sku in found.values()}
        # One that rang already is fetched by that.
        Ring.objects.bulk_create(
            [
                Ring(activation=activation, ability=each.ability, record_id=number[:200])
                for number in sorted(numbers)
            ],
            ignore_conflicts=True,
        )
    forget_records(activation, list(found), flow)
    make_due(flows)


@transaction.atomic
def _read_anew(activation_id: int, flow: str) -> None:
    flows = ActivationFlow.objects.filter(activation=activation_id, flow=flow, ability__in=SOURCES)
    # Before anything is asked: a run that begins meanwhile waits, and reads the new cursor.
    list(flows.select_for_update().order_by("pk"))
    going_on = Run.objects.filter(
        activation=activation_id, flow=flow, ability__in=SOURCES, ended_at=None
    )
    if going_on.exists():
        return  # it would store its own cursor; in a minute, then
    asked = _asked().filter(comparison__activation=activation_id, flow=flow)
    codes = list(asked.values_list("record_id", flat=True))
    for each in flows.select_related("activation"):
        forget_records(each.activation, codes, flow)
    flows.update(cursor="", slot_at=None)
    make_due(flows)
    asked.update(done_at=timezone.now(), result=_("Lido de novo, desde o começo."))
