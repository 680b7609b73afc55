"""Every fact, once: what was told to the portal, what it holds, and what the others know of it."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django_q.models import OrmQ

from catalog.models import Product, SkuMapping
from connectors.models import Failure, Notice, Run
from orders.models import Order
from tests.soak.feeding import Feeder, Sale
from tests.soak.world import ERP, HUB, SHOP, SKUS, STOCKED, TOOLS, World

PLATFORM = {HUB: ERP, TOOLS: SHOP}  # who takes the orders of whom
DELIVERED = {SHOP: "delivered", ERP: "entregue"}
CANCELLED = {SHOP: "canceled", ERP: "cancelado"}


@dataclass
class Account:
    fact: str
    expected: int = 0
    found: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, found: bool, name: str) -> None:
        self.expected += 1
        self.found += found
        if not found:
            self.wrong.append(name)

    @property
    def is_even(self) -> bool:
        return not self.wrong and self.expected == self.found


def draw_up(world: World, feeder: Feeder) -> list[Account]:
    reports = world.reports()
    return [
        _calls(feeder),
        *orders_of(world, feeder),
        _at_hub(reports[HUB], feeder.sales),
        _stock(world, reports),
        _shown(world, reports),
        _at_hub_on_sale(world, reports),
        *_notices(world, reports[TOOLS]),
        *_nothing_left(),
    ]


def orders_of(world: World, feeder: Feeder) -> list[Account]:
    reports = world.reports()
    orders = list(
        Order.objects.filter(store__in=[a.store for a in world.activations.values()])
        .prefetch_related("status_changes", "links", "shipments")
        .select_related("source")
    )
    return [
        _orders(world, feeder.sales, orders),
        *(_at_platform(world, reports, feeder.sales, orders, channel) for channel in PLATFORM),
        _statuses(feeder.sales, orders),
    ]


def _calls(feeder: Feeder) -> Account:
    account = Account("chamadas à API respondidas com o que prometem")
    answers = feeder.caller.answers
    account.expected = account.found = sum(n for status, n in answers.items() if status != "none")
    account.wrong = [*feeder.unanswered]
    account.wrong += [f"{answers[status]} × HTTP {status}" for status in (500,) if answers[status]]
    return account


def _key(source_id: int, number: str) -> tuple[int, str]:
    return source_id, number


def _orders(world: World, sales: list[Sale], orders: list[Order]) -> Account:
    """In the portal once each, and none besides."""
    account = Account("pedidos no portal")
    held = Counter(_key(order.source_id, order.original_id) for order in orders)
    for sale in sales:
        count = held.pop(_key(world.activations[sale.channel].pk, sale.number), 0)
        account.add(count == 1, f"{sale.channel} {sale.number}: {count} vezes")
    account.wrong += [f"{number}: ninguém fez" for _source, number in held]
    return account


def _at_platform(
    world: World, reports: Any, sales: list[Sale], orders: list[Order], channel: str
) -> Account:
    """On the platform once each, in its last status, under the number that the portal knows."""
    name = PLATFORM[channel]
    account = Account(f"pedidos de {channel} em {name}")
    by_number = {o.original_id: o for o in orders if o.source == world.activations[channel]}
    there = dict(reports[name]["orders"])
    for sale in [sale for sale in sales if sale.channel == channel]:
        order = by_number.get(sale.number)
        held = there.pop(order.public_id, None) if order else None
        if sale.ends == "canceled":
            is_right = held is None or _status(held) == CANCELLED[name]
        else:
            link = order and next(
                (k for k in order.links.all() if k.activation_id == world.activations[name].pk),
                None,
            )
            is_right = bool(
                held
                and link
                and link.external_id == held["id"]
                and held.get("created", 1) == 1
                and (held.get("reported") or [held.get("situacao")])[-1] == DELIVERED[name]
            )
        account.add(is_right, f"{sale.number} ({sale.ends}): {held and _short(held)}")
    account.wrong += [f"{id}: o portal não o conhece" for id in there]
    return account


def _status(held: Any) -> str:
    return str(held.get("situacao") or held["status"])


def _short(held: Any) -> str:
    told = held.get("situacoes") or held.get("statuses")
    return f"id {held['id']}, {told}, {held.get('reported')}, {held.get('created', 1)} vez(es)"


def _statuses(sales: list[Sale], orders: list[Order]) -> Account:
    """The last one, and on the way to it an invoice: a step of its own, or found when the order
    was told to be delivered."""
    account = Account("situação final no portal")
    by_number = {order.original_id: order for order in orders}
    for sale in sales:
        order = by_number.get(sale.number)
        steps = {step.status for step in order.status_changes.all()} if order else set()
        is_right = bool(order and order.status == sale.ends)
        invoiced = order and any(shipment.nfe_key for shipment in order.shipments.all())
        is_right &= bool(sale.ends == "canceled" or "invoiced" in steps or invoiced)
        account.add(is_right, f"{sale.number}: {order and order.status}, não {sale.ends}")
    return account


def _at_hub(hub: Any, sales: list[Sale]) -> Account:
    account = Account("situação final no canal")
    for sale in [sale for sale in sales if sale.channel == HUB]:
        status = hub["orders"][sale.id]["status"]
        account.add(status == sale.ends, f"{sale.number}: {status}, não {sale.ends}")
    return account


def _products(world: World, name: str) -> list[Product]:
    store = world.activations[name].store
    return list(Product.objects.with_levels().filter(store=store, sku__in=SKUS))


def _stock(world: World, reports: Any) -> Account:
    """The last count of each shelf."""
    account = Account("último estoque no portal")
    for name in STOCKED:
        there = reports[name]["stock"]
        for product in _products(world, name):
            here = product.stock_row
            account.add(
                here.available == there[product.sku],
                f"{name} {product.sku}: {here.available} (reservado {here.reserved}),"
                f" não {there[product.sku]}",
            )
    return account


def _shown(world: World, reports: Any) -> Account:
    """Each product's last name and price."""
    account = Account("último nome e preço no portal")
    for name in STOCKED:
        names, prices = reports[name]["products"], reports[name]["prices"]
        for product in _products(world, name):
            there = names[product.sku]
            called = there if isinstance(there, str) else there["name"]
            wanted = called, Decimal(str(prices[product.sku]["price"]))
            here = product.name, product.price_row.price
            account.add(here == wanted, f"{name} {product.sku}: {here}, não {wanted}")
    return account


def _at_hub_on_sale(world: World, reports: Any) -> Account:
    """As the portal has it, under the De/Para's code; nothing besides."""
    account = Account("nome, preço e estoque no canal")
    there = {
        code: (product.get("name"), product.get("price"), product["quantity"])
        for code, product in reports[HUB]["products"].items()
    }
    mappings = SkuMapping.objects.filter(activation=world.activations[HUB])
    codes = dict(mappings.values_list("product_id", "code"))
    for product in _products(world, ERP):
        code, price = codes.get(product.pk, product.sku), product.price_row.price
        here = product.name, price, product.stock_row.available
        told = there.pop(code, None)
        account.add(told == here, f"{code}: {told}, não {here}")
    account.wrong += [f"{code}: à venda, e não é de nenhum produto" for code in there]
    return account


def _notices(world: World, tools: Any) -> list[Account]:
    """Each one on record as delivered, and heard at least as often as there are records."""
    delivered, heard = Account("notificações entregues"), Account("notificações recebidas")
    counts = Counter(notice["id"] for notice in tools["notices"])
    wanted: Counter[str] = Counter()
    notices = Notice.objects.filter(activation=world.activations[TOOLS])
    for notice in notices:
        delivered.add(notice.delivered_at is not None, f"{notice.object_id}: {notice.last_error}")
        wanted[notice.object_id] += 1
    for id, count in wanted.items():
        heard.add(counts[id] >= count, f"{id}: {counts[id]} de {count}")
    return [delivered, heard]


def _nothing_left() -> list[Account]:
    """The queue has come to rest, and nothing is waiting for a person."""
    failures = Account("falhas abertas")
    for failure in Failure.objects.open():
        failures.wrong.append(f"{failure.flow} {failure.record_id}: {failure.reason}")
    runs = Account("execuções abertas")
    broken = Run.objects.filter(Q(reason__startswith="Erro do portal")).values_list("reason")
    runs.wrong = [reason for (reason,) in broken.distinct() if "OperationalError" not in reason]
    queue = Account("tarefas esquecidas na fila")
    queue.wrong = [str(row.pk) for row in OrmQ.objects.all()[:5]] if _is_stuck() else []
    return [failures, runs, queue]


def _is_stuck() -> bool:
    return OrmQ.objects.count() > 100


def table(accounts: list[Account]) -> str:
    lines = [f"  {'fato':48} {'esperado':>9} {'achado':>9}  "]
    for each in accounts:
        mark = "ok" if each.is_even else "FALTA: " + "; ".join(each.wrong[:4])
        lines.append(f"  {each.fact:48} {each.expected:9} {each.found:9}  {mark}")
    return "\n".join(lines)
