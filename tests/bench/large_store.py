"""Fills a database with one store's many orders among those of a thousand others."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection

from catalog.models import Modification, Price, Product, Reservation, SkuMapping, Stock
from connectors.models import Activation, ActivationFlow, Connector, Failure, Store
from connectors.records import OrderStatus
from orders.models import (
    BuyerMail,
    Line,
    Order,
    OrderLink,
    OrderWord,
    Payment,
    Shipment,
    StatusChange,
)
from tests.bench.seeding import fill, indexed_afterwards

STORES, SHARE = 1_000, 5  # every fifth order is the large store's, whose id is 1
ACTIVATIONS = STORES + 2  # of which that store has the first and the last two
RARE, SOME = ACTIVATIONS - 1, ACTIVATIONS
PRODUCTS, OF_THE_STORE = 50_000, 5_000
CHANNELS, NAMES, SKUS = 3, 20, 20
AT_LEAST = 52  # of the orders in each status: more than a page
# As many orders have each of these, however many there are.
NAMESAKES = 60
DAYS = 730
# The newest are in every status that goes on; all others have come to an end.
ENDS = ("delivered", "partial_delivered", "canceled", "refunded")
GOING_ON = [each for each in OrderStatus.values if each not in ENDS]
PARTED = 200_000  # the newest; of an older one nobody reads the parts


@dataclass(frozen=True)
class Size:
    """`orders` of the store, and four times as many of others."""

    orders: int


def seed(size: Size) -> None:
    partner = Connector.objects.get(slug="rocky").pk
    user = User.objects.create_user("lojista", password="lojista")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the keys are right
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '512MB'")
    _seed_stores(user, partner)
    _seed_catalogue()
    _seed_orders(size)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")


def _seed_stores(user: User, partner: int) -> None:
    fill(
        Store, STORES,
        name="'Loja ' || i", cnpj="'12ABC34501DE35'", domain="'loja' || i || '.example.com.br'",
    )  # fmt: skip
    Store.objects.get(pk=1).members.add(user)
    fill(
        Activation, ACTIVATIONS,
        store_id=f"CASE WHEN i > {STORES} THEN 1 ELSE i END", connector_id=str(partner),
        mode="'partner'", name="'Integração ' || i", client_id="'c' || i", api_user="'u' || i",
        state="'active'", submission="gen_random_uuid()", created_by_id=str(user.pk),
    )  # fmt: skip
    fill(
        ActivationFlow, 3 * ACTIVATIONS,
        activation_id=f"1 + (i - 1) % {ACTIVATIONS}",
        ability=f"(ARRAY['OrderSink','PriceSource','StockSource'])[1 + (i - 1) / {ACTIVATIONS}]",
        flow=f"(ARRAY['orders','prices','stock'])[1 + (i - 1) / {ACTIVATIONS}]",
        every="600", grace="600", watched_since="now() - interval '90 days'",
        last_success_at="now()",
    )  # fmt: skip
    fill(
        Failure, 20_000,
        activation_id=f"1 + i % {ACTIVATIONS}", flow="'orders'", kind="'refused'", reason="'?'",
        record_id="'R' || i",
    )  # fmt: skip


def _seed_catalogue() -> None:
    mine = f"CASE WHEN i <= {OF_THE_STORE} THEN 1 ELSE 2 + i % {STORES - 1} END"
    fill(
        Product, PRODUCTS,
        public_id="substr(md5('product' || i), 1, 24)", store_id=mine, sku="'SKU-' || i",
        name="'Produto ' || i",
    )  # fmt: skip
    fill(Price, PRODUCTS, product_id="i", price="10")
    fill(Stock, PRODUCTS, product_id="i", on_hand="i % 40")
    fill(Modification, PRODUCTS, product_id="i", store_id=mine)
    fill(SkuMapping, PRODUCTS // 2, activation_id="1", code="'C-' || i", product_id="i * 2")
    fill(
        Reservation,
        20_000,
        product_id="i",
        sale="lpad(i::text, 24, '0')",
        quantity="2",
        held="CASE WHEN i % 100 = 0 THEN 1 ELSE 2 END",
    )


def _seed_orders(size: Size) -> None:
    total, n = size.orders * SHARE, f"(i / {SHARE})"
    mine = f"i % {SHARE} = 0"
    each = max(AT_LEAST, size.orders // 2000)
    gap = f"interval '{DAYS * 86400 / total} seconds'"
    with indexed_afterwards(Order):
        fill(
            Order, total,
            public_id="lpad(i::text, 24, '0')", original_id=f"'N-' || {n}",
            store_id=f"CASE WHEN {mine} THEN 1 ELSE 2 + i % {STORES - 1} END",
            source_id=f"CASE WHEN {mine} THEN 1 ELSE 2 + i % {STORES - 1} END",
            channel_account="i % 5", channel=f"'Feira ' || {n} % {CHANNELS}",
            status=f"CASE WHEN {n} > {size.orders - each * len(GOING_ON)}"
            f" THEN {_array(GOING_ON)}[1 + {n} % {len(GOING_ON)}]"
            f" ELSE {_array(ENDS)}[1 + {n} % {len(ENDS)}] END",
            total="50 + i % 300", created_at=f"now() - {gap} * ({total} - i)",
            modified_at=f"now() - {gap} * ({total} - i)",
            fields="'{\"payer_name\": \"Maria\", \"payer_lastname\": \"da Silva\"}'::jsonb",
        )  # fmt: skip
    parts = min(PARTED, size.orders)
    ids = {"order_id": f"{SHARE} * (i + {size.orders - parts})"}
    public = {**ids, "public_id": "lpad(i::text, 24, '0')"}
    fill(Line, parts, **public, sku="'SKUA'", quantity="1", price="50", product_id="1")
    fill(Payment, parts, **public)
    fill(Shipment, parts, **public, track_code="'BR' || i || 'X'")
    fill(StatusChange, parts, **ids, status="'approved'", author="'Ana'")
    fill(
        BuyerMail, parts // 10,
        **ids, kind="'shipped'", state="'sent'", message_id="'m' || i", sent_at="now()",
        subject="'Enviado'", body="''",
    )  # fmt: skip
    # All were offered to the first, every twentieth to one, and the oldest few to another.
    some = f"i - {size.orders + NAMESAKES}"
    with indexed_afterwards(OrderLink):
        fill(
            OrderLink, size.orders + NAMESAKES + size.orders // 20,
            order_id=f"{SHARE} * CASE WHEN i <= {size.orders} THEN i"
            f" WHEN {some} <= 0 THEN i - {size.orders} ELSE ({some}) * 20 END",
            activation_id=f"CASE WHEN i <= {size.orders} THEN 1 WHEN {some} <= 0 THEN {RARE}"
            f" ELSE {SOME} END",
            external_id="'E' || i",
        )  # fmt: skip
    with indexed_afterwards(OrderWord):
        first = 0
        for every, word in _words(size):
            count = size.orders // every
            fill(
                OrderWord, count,
                id=f"i + {first}", order_id=f"i * {every * SHARE}", store_id="1",
                word=word.format(n=f"(i * {every})"),
            )  # fmt: skip
            first += count
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_tally (store_id, day, channel, status, orders, amount, folded)"
            " SELECT store_id, (created_at AT TIME ZONE 'America/Sao_Paulo')::date, channel,"
            " status, count(*), sum(total), true FROM orders_order WHERE store_id = 1"
            " GROUP BY 1, 2, 3, 4"
        )


def _words(size: Size) -> list[tuple[int, str]]:
    """Of the store's order `n`: its number, its buyer's name, its SKU; and of every so many orders
    what is each one's own, or of few."""
    families = max(size.orders // NAMESAKES // 10, 1)
    return [
        (1, "'N' || {n}"),
        (1, f"'NOME' || chr(65 + {{n}} % {NAMES})"),
        (1, f"'SKU' || chr(65 + {{n}} / 3 % {SKUS})"),
        (10, f"'FAMILIA' || {{n}} / 10 % {families} || 'X'"),
        (10, "'BR' || {n} || 'X'"),
        (10, "'35' || lpad(({n})::text, 42, '0')"),
    ]


def _array(words: Iterable[str]) -> str:
    return "(ARRAY[{}])".format(", ".join(f"'{word}'" for word in words))
