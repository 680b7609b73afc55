"""What must be true of the first release's data once it is brought up to today's tables."""

from collections.abc import Iterator
from io import StringIO

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils.dateparse import parse_datetime

from catalog.models import Modification
from connectors.contract import Flow
from connectors.models import Activation, Failure
from connectors.services import client_of
from connectors.spec import Mode
from orders.finding import find
from orders.models import Order
from orders.statistics import correct_tallies
from tests.upgrades.release import rows

# Sealed meanwhile, or filled by what the upgrade says must be run.
OTHERWISE_NOW = {("connectors.Failure", "payload")}


def wrong() -> list[str]:
    found = [*_rows(), *_credentials()]
    for command in ("rebuild_orders", "rotate_keys", "install_schedules"):
        call_command(command, stdout=StringIO())
    return [*found, *_rows(), *_credentials(), *_failures(), *_products(), *_orders(), *_pages()]


def _rows() -> Iterator[str]:
    """None is gone, and what is still a column holds what it held."""
    for label, listed in rows().items():
        model = apps.get_model(label)
        fields = {field.attname: field for field in model._meta.concrete_fields}
        held = {row.pk: row for row in model._base_manager.all()}
        for row in listed:
            pk = row[model._meta.pk.attname]
            if pk not in held:
                yield f"{label} {pk} is gone"
                continue
            for name in row.keys() & fields.keys():
                now, then = getattr(held[pk], name), fields[name].to_python(row[name])
                if now != then and (label, name) not in OTHERWISE_NOW:
                    yield f"{label} {pk}: {name} was {then!r} and is {now!r}"


def _credentials() -> Iterator[str]:
    for activation in Activation.objects.filter(mode=Mode.MANAGED):
        if not all(client_of(activation, Flow.ORDERS).account.credentials.values()):
            yield f"{activation}: a credential is empty"


def _failures() -> Iterator[str]:
    said = {row["id"]: row["payload"] for row in rows()["connectors.Failure"]}
    for failure in Failure.objects.filter(pk__in=said):
        if said[failure.pk] and not failure.payload:
            yield f"{failure}: its payload is gone"


def _products() -> Iterator[str]:
    for row in rows()["catalog.Product"]:
        changed = Modification.objects.get(product=row["id"])
        if (changed.at, changed.by_id, changed.store_id) != (
            parse_datetime(row["modified_at"]), row["modified_by_id"], row["store_id"]
        ):  # fmt: skip
            yield f"{changed.product}: changed at {changed.at} by {changed.by}"


def _orders() -> Iterator[str]:
    for order in Order.objects.select_related("store"):
        mine = Order.objects.filter(store=order.store)
        if not find(mine, order.original_id, [order.store_id]).filter(pk=order.pk).exists():
            yield f"{order} is not found by its number"
        if correct_tallies(order.store):
            yield f"{order.store}: its figures were wrong"


def _pages() -> Iterator[str]:
    for name, addresses in (("operadora", _of_the_admin()), ("lojista", _of_merchants())):
        client = Client(SERVER_NAME="localhost")
        client.force_login(User.objects.get(username=name))
        for address in addresses:
            status = client.get(address).status_code
            if status != 200:
                yield f"{address}: {status}"


def _of_the_admin() -> Iterator[str]:
    yield "/admin/"
    for label in rows():
        model = apps.get_model(label)
        if model in admin.site._registry:
            listed = f"/admin/{label.replace('.', '/').lower()}/"
            yield listed
            for pk in model._base_manager.values_list("pk", flat=True):
                yield f"{listed}{pk}/change/"


def _of_merchants() -> Iterator[str]:
    yield from ("/", "/orders/", "/catalogue/", "/integrations/")
    yield from (f"/orders/{order.public_id}/" for order in Order.objects.all())
