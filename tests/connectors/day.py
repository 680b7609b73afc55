"""A partner's or a platform's day, played over real HTTP: the portal is a live server, the other
side lies in the sandbox, integrations are switched on by the admin's own forms (but for the channel
that brings the orders), and the queue runs when the test says so."""

from dataclasses import asdict
from importlib import import_module
from typing import Any, cast

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from catalog.models import Product
from connectors.models import Activation, ActivationFlow, Store
from connectors.sandbox.partner import Partner, Tools
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shop import Shop
from connectors.sandbox.store import Store as ContractStore
from connectors.spec import Mode
from orders.models import Order
from portal.schedules import RECURRING
from tests.conftest import make_partner, numbers
from tests.connectors.admin.conftest import (
    LIST,
    activated,
    form_on,
    page_of,
    take,
)

TOKEN = "token-of-the-contract"
# What every shop sells: a simple product, and one with two variations.
MUG = {"sku": "CANECA", "name": "Caneca", "price": 39.9, "quantity": 120}
SHIRT = {
    "sku": "CAMISETA",
    "name": "Camiseta",
    "price": 79.9,
    "variations": [
        {"sku": "CAMISETA-P", "name": "Camiseta P", "price": 79.9, "quantity": 40},
        {"sku": "CAMISETA-G", "name": "Camiseta G", "price": 84.9, "quantity": 25},
    ],
}


def run_queue() -> None:
    """Whatever is due in the queue, until nothing is."""
    while rows := list(OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk")):
        OrmQ.objects.filter(pk__in=[row.pk for row in rows]).delete()
        for row in rows:
            module, _dot, name = row.task["func"].rpartition(".")
            getattr(import_module(module), name)(*row.task["args"])


def levels(store: Store) -> dict[str, tuple[Any, int]]:
    """Price and stock of every SKU in the hub."""
    rows = Product.objects.with_levels().filter(store=store)
    return {
        row.sku: (row.price_row.price and float(row.price_row.price), row.stock_row.on_hand)
        for row in rows
    }


class Day:
    """One store, its operator, and its channel: Pluga's tools, which bring the orders."""

    def __init__(self, hub: str, sandbox: Sandbox, operator: User, store: Store) -> None:
        self.hub, self.sandbox, self.store = hub, sandbox, store
        self.browser = Client()
        self.browser.force_login(operator)
        self.number = next(numbers)
        self.channel = cast(Tools, self._open("tools", "canal", {"hub": f"{hub}/api"}))
        channel = make_partner(store, "pluga", plugin_url=self.url_of(self.channel))
        self.channel.control("settings", asdict(channel.issued))

    # -- Switching on ----------------------------------------------------------------------------
    def open_shop(self, **credentials: str) -> Shop:
        """A partner's program that nobody gave its credentials yet."""
        return cast(Shop, self._open("shop", "loja", {"hub": f"{self.hub}/api", **credentials}))

    def switch_on(self, slug: str, program: Partner, **typed: Any) -> Activation:
        """By the connector's form in partner mode; the values shown go to the partner."""
        activation, shown = self.fill_in(slug, program, **typed)
        program.control("settings", shown)
        return activation

    def fill_in(
        self, slug: str, program: Partner, **typed: Any
    ) -> tuple[Activation, dict[str, str]]:
        typed = {"plugin_url": self.url_of(program), **typed}
        activation, shown = activated(self.browser, slug, self.store, Mode.PARTNER, **typed)
        assert shown
        return activation, shown

    def refused_form(self, slug: str, program: Partner, step: str, **typed: Any) -> str:
        """A step's page again, with what is wrong on it."""
        typed = {"plugin_url": self.url_of(program), **typed}
        activation, _shown = activated(
            self.browser, slug, self.store, Mode.PARTNER, until=step, **typed
        )
        page = take(self.browser, f"{LIST}{activation.pk}/way/{step}/", typed)
        assert page.status_code == 200
        return str(page.content.decode())

    def open_platform(self, **credentials: str) -> ContractStore:
        """A platform that serves the store contract."""
        opened = self._open("store", "plataforma", {"token": TOKEN, **credentials})
        return cast(ContractStore, opened)

    def open(self, kind: str, **credentials: str) -> Any:
        return self._open(kind, "plataforma", credentials)

    def switch_on_managed(self, slug: str, platform: Any, **typed: Any) -> Activation:
        """The first synchronisation waits for nobody: no preview is asked for."""
        typed = {"plugin_url": self.url_of(platform), "credential_token": TOKEN, **typed}
        activation, _none = activated(self.browser, slug, self.store, Mode.MANAGED, **typed)
        run_queue()  # the check
        activation.refresh_from_db()
        return activation

    def url_of(self, platform: Any) -> str:
        return f"{self.sandbox.url}/{platform.name}"

    def _open(self, kind: str, name: str, credentials: dict[str, str]) -> Any:
        return self.sandbox.open(kind, f"{name}-{self.number}-{next(numbers)}", credentials)

    def page_of(self, activation: Activation) -> str:
        return self.browser.get(page_of(activation)).content.decode()

    def change(self, activation: Activation, **typed: Any) -> None:
        """On the integration's own page, as the operator finds it."""
        form = form_on(self.page_of(activation))
        answer = self.browser.post(page_of(activation), form | typed)
        assert answer.status_code == 302, answer.content.decode()

    def resume(self, activation: Activation) -> None:
        chosen = {"action": "resume_selected", "_selected_action": activation.pk}
        self.browser.post(LIST, chosen)

    # -- What happens ----------------------------------------------------------------------------
    def place_order(self, status: str = "approved", **fields: Any) -> Order:
        """A sale in the channel, sent to the hub; whoever is notified has been."""
        items = [{"sku": "CANECA", "quantity": 1, "price": 39.9}]
        placed = self.channel.control("place_order", {"status": status, "items": items})
        self.channel.unsent[-1] |= fields
        self.channel.work()
        assert self.channel.refusals == []
        run_queue()
        return Order.objects.get(original_id=placed["id"], store=self.store)

    def move_order(self, order: Order, status: str) -> None:
        self.channel.control("set_status", {"id": order.original_id, "status": status})
        self.channel.work()
        run_queue()

    def run_flows(self, activation: Activation) -> None:
        """All flows of a managed activation, as if their turn had come: the portal's own table
        of recurring tasks starts them."""
        ActivationFlow.objects.filter(activation=activation).update(due_at=timezone.now())
        for recurring in RECURRING:
            if "_all_" in recurring.name:
                recurring.task()
        run_queue()


def refusal(answer: dict[str, Any]) -> tuple[str, str]:
    """The hub's word for it and its text."""
    return answer["type"], answer["details"]
