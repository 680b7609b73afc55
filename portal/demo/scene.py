"""One store of the demo: its platform or ERP at one end, its channel at the other."""

import json
import random
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import requests
from django.conf import settings
from django.db.models import Q

from catalog.services import save_product
from connectors.contract import CALLS
from connectors.models import Activation, Store
from connectors.registry import SPECS
from connectors.sandbox.kinds import PLAYED_BY
from connectors.spec import Mode, Spec
from orders.models import Order
from orders.status import STAGE
from portal.demo.browser import Browser

SECONDS = 30
VALUE = re.compile(r'data-credential="(\w+)">([^<]+)<')
ADDRESS = re.compile(r"data-address>([^<]+)<")
# What every shop of the demo sells: a simple product, and one with two variations.
GOODS: tuple[dict[str, Any], ...] = (
    {"sku": "CANECA", "name": "Caneca de cerâmica", "price": 39.9, "quantity": 120},
    {
        "sku": "CAMISETA",
        "name": "Camiseta de algodão",
        "price": 79.9,
        "quantity": 0,
        "variations": [
            {"sku": "CAMISETA-P", "name": "Camiseta P", "price": 79.9, "quantity": 40},
            {"sku": "CAMISETA-G", "name": "Camiseta G", "price": 84.9, "quantity": 25},
        ],
    },
)
SOLD = {"CANECA": 39.9, "CAMISETA-P": 79.9, "CAMISETA-G": 84.9}


class Sandbox:
    """The sandbox's control, over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self, kind: str, name: str, credentials: dict[str, str]) -> str:
        body = {"kind": kind, "name": name, "credentials": credentials}
        url: str = self._call("POST", "", body)["url"]
        return url

    def control(self, name: str, verb: str, /, **data: Any) -> Any:
        return self._call("POST", f"/{name}/{verb}", data)

    def report(self, name: str) -> dict[str, Any]:
        report: dict[str, Any] = self._call("GET", f"/{name}")
        return report

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(
            method, f"{self.url}/control/platforms{path}", json=body, timeout=SECONDS
        )
        answer.raise_for_status()
        return answer.json()


@dataclass
class Scene:
    """A connector in one of its modes, at work for one store."""

    spec: Spec
    mode: Mode
    channel: Spec
    store: Store
    sandbox: Sandbox
    operator: Browser
    web_url: str
    activation: Activation = field(init=False)
    channel_activation: Activation = field(init=False)

    @property
    def name(self) -> str:
        return f"{self.spec.slug}-{self.mode.value}"

    @property
    def channel_name(self) -> str:
        return f"{self.channel.slug}-{self.name}"

    @property
    def last_status(self) -> str:
        """The furthest that the connector can bring an order to."""
        return max(self.spec.may_report, key=STAGE.__getitem__).value

    # -- Setting up ------------------------------------------------------------------------------
    def activate(self) -> None:
        """Both ends, through the admin's own forms, as an operator does it."""
        self.channel_activation = self._activate_channel()
        self.activation = self._activate_platform()
        self.fill_shelves()

    def _activate_platform(self) -> Activation:
        reports = ",".join(s.value for s in sorted(self.spec.may_report, key=STAGE.__getitem__))
        if self.mode == Mode.PARTNER:
            given = {"hub": self.web_url + "/api", "reports": reports}
            if self.spec.invoice and self.spec.invoice.only:
                given["only"] = ",".join(self.spec.invoice.fields)
            return self._activate_partner("shop", self.name, self.spec, given)
        received = invented(self.spec)
        kind = PLAYED_BY.get(self.spec.slug, "store")
        plan = {
            "per_minute": str(self.spec.calls_per_minute.get(CALLS, 0)),
            "minute": str(settings.SECONDS_PER_MINUTE),
        }
        url = self.sandbox.open(kind, self.name, {**received, "reports": reports, **plan})
        return self._activate_managed(self.name, self.spec, url + "/", received)

    def _activate_channel(self) -> Activation:
        if self.channel.creates_orders:
            given = {"hub": self.web_url + "/api"}
            return self._activate_partner("tools", self.channel_name, self.channel, given)
        received = invented(self.channel)
        kind = PLAYED_BY[self.channel.slug]
        url = self.sandbox.open(kind, self.channel_name, received)
        return self._activate_managed(self.channel_name, self.channel, url, received)

    def _activate_partner(
        self, kind: str, name: str, spec: Spec, given: dict[str, str]
    ) -> Activation:
        url = self.sandbox.open(kind, name, given)
        page = self._fill_in(spec, Mode.PARTNER, url, {})
        values = dict(VALUE.findall(page))
        self.sandbox.control(name, "settings", **values)
        return self._activation_of(spec)

    def _activate_managed(
        self, name: str, spec: Spec, url: str, received: dict[str, str]
    ) -> Activation:
        page = self._fill_in(spec, Mode.MANAGED, url, received)
        if address := ADDRESS.search(page):
            self.sandbox.control(name, "settings", notify=address[1], **received)
        return self._activation_of(spec)

    def _fill_in(self, spec: Spec, mode: Mode, url: str, received: dict[str, str]) -> str:
        """Search the connector by name, open its details, take the steps of its activation."""
        found = self.operator.open(f"/admin/connectors/connector/?q={spec.name}")
        details = self.operator.open(
            self.operator.link(found, r"/admin/connectors/connector/\d+/change/")
        )
        form = self.operator.link(details, r"/admin/connectors/activation/add/\?connector=")
        pages = self.operator.activate(
            form,
            store=str(self.store.pk),
            mode=mode.value,
            name=spec.name,
            plugin_url=url,
            **{f"credential_{key}": value for key, value in received.items()},
        )
        return "".join(pages)

    def _activation_of(self, spec: Spec) -> Activation:
        return Activation.objects.get(store=self.store, connector__slug=spec.slug)

    def fill_shelves(self) -> None:
        """The platform's people put its products on sale; where the connector has no catalogue,
        the merchant registers them in the portal, with the ERP's own codes."""
        for goods in GOODS:
            if not self.spec.sends_catalogue:
                save_product(self.store, str(goods["sku"]), json.loads(json.dumps(goods)), None)
                for each in goods.get("variations", [goods]):
                    self.count_stock(each["sku"], each["quantity"])
            else:
                self.sandbox.control(self.name, "put_product", **goods)

    # -- What happens ----------------------------------------------------------------------------
    def place_order(self, status: str) -> str:
        """A sale in the channel; its number there."""
        skus = random.sample(sorted(SOLD), k=random.choice((1, 2)))  # noqa: S311
        items = [{"sku": sku, "quantity": 1, "price": SOLD[sku]} for sku in skus]
        placed = self.sandbox.control(self.channel_name, "place_order", status=status, items=items)
        order_id: str = placed["id"]
        return order_id

    def find(self, order_id: str) -> Order | None:
        """The portal's order, by its number in the channel."""
        which = Q(original_id=order_id) | Q(
            links__external_id=order_id, links__activation=self.channel_activation
        )
        return Order.objects.filter(which, store=self.store).first()

    def is_at_platform(self, order: Order) -> bool:
        """The platform has taken the order, and told us its own number."""
        return order.links.filter(activation=self.activation).exclude(external_id="").exists()

    def move_order(self, order_id: str, status: str) -> None:
        self.sandbox.control(self.channel_name, "set_status", id=order_id, status=status)

    def count_stock(self, sku: str, quantity: int) -> None:
        """Somebody counts the shelf at the platform."""
        self.sandbox.control(self.name, "set_stock", sku=sku, quantity=quantity)


def invented(spec: Spec) -> dict[str, str]:
    """What the connector wants to know of the platform. All digits: some platforms want numbers."""
    return {field.key: str(secrets.randbelow(10**20)) for field in spec.credentials}


def scenes_of_every_connector() -> list[tuple[Spec, Mode, Spec]]:
    """Each connector that takes orders, in each of its modes, with a channel in front of it."""
    channels = [spec for spec in SPECS.values() if spec.is_channel]
    pairs = [(spec, mode) for spec in SPECS.values() if spec.consumes for mode in spec.modes]
    return [(spec, mode, channels[i % len(channels)]) for i, (spec, mode) in enumerate(pairs)]
