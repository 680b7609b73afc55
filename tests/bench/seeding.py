"""Fills a PostgreSQL database with as much as a large portal has, in a minute or two.

manage.py shell -c "from tests.bench.seeding import Size, seed; seed(Size())"
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, models, transaction

from catalog.models import Modification, Price, Product, Sent, SkuMapping, Stock, Taken
from connectors.models import (
    Activation,
    ActivationFlow,
    Alert,
    Brake,
    Comparison,
    Connector,
    Credential,
    Difference,
    Endpoint,
    Failure,
    Incident,
    Notice,
    Ring,
    Run,
    Store,
)
from connectors.sealing import seal
from orders.models import Line, Order, OrderLink, Payment, Shipment, StatusChange

LONG_AGO = "now() - interval '1 day' * (i % 400)"
OFTEN = "now() - interval '1 second' * ({count} - i) * 30"  # so the last day has 2880 of them


@dataclass(frozen=True)
class Size:
    stores: int = 1_000
    activations: int = 10_000
    products: int = 500_000
    orders: int = 1_000_000
    runs: int = 1_000_000
    notices: int = 1_000_000
    failures: int = 50_000
    # Of comparisons, brakes and incidents.
    questions: int = 5_000


def seed(size: Size) -> None:
    """Into an empty, migrated database; its planner knows afterwards what is in it."""
    partner, managed = (Connector.objects.get(slug=slug).pk for slug in ("rocky", "webstore"))
    with transaction.atomic(), connection.cursor() as cursor:
        operator = User.objects.create_superuser("banco", password="banco")
        cursor.execute("SET LOCAL session_replication_role = replica")  # the keys are right
        cursor.execute("SET LOCAL synchronous_commit = off")
        _seed_integrations(size, operator.pk, partner, managed)
        _seed_catalogue(size)
        _seed_orders(size)
        _seed_history(size)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def fill(model: type[models.Model], count: int, /, **columns: str) -> None:
    """`count` rows, each column an SQL expression of `i`, from 1 on. Columns that are not named get
    their field's default."""
    quote = connection.ops.quote_name
    values: dict[str, str] = {}
    params: list[Any] = []
    for field in model._meta.concrete_fields:
        if field.attname in columns:
            values[field.column] = columns[field.attname]
        elif field.primary_key and not field.remote_field:
            values[field.column] = "i"
        else:
            values[field.column] = "%s"
            params.append(field.get_db_prep_save(_default(field), connection))
    into = ", ".join(map(quote, values))
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({into})"  # noqa: S608
        f" SELECT {', '.join(_escaped(each) for each in values.values())}"
        f" FROM generate_series(1, {count}) AS i"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        if model._meta.pk and not model._meta.pk.remote_field:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, %s), %s)",
                [model._meta.db_table, model._meta.pk.column, count],
            )


@contextmanager
def indexed_afterwards(model: type[models.Model]) -> Iterator[None]:
    """Its indexes, apart from the primary key's, are made when its rows are there."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'u'",
            [table],
        )
        constraints = cursor.fetchall()
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = %s::regclass AND NOT indisprimary AND indexrelid NOT IN"
            " (SELECT conindid FROM pg_constraint WHERE contype = 'u')",
            [table],
        )
        indexes = cursor.fetchall()
        for name, _definition in constraints:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for name, definition in constraints:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        for _name, definition in indexes:
            cursor.execute(definition)


def _escaped(expression: str) -> str:
    return expression if expression == "%s" else expression.replace("%", "%%")


def _default(field: Any) -> Any:
    if field.has_default():
        return field.get_default()
    return None if field.null else ""


def _of(number: int) -> str:
    """One of so many, spread so that neighbours are not together."""
    return f"1 + (i::bigint * 7919) % {number}"


def _seed_integrations(size: Size, operator: int, partner: int, managed: int) -> None:
    states = "(ARRAY['active','active','active','active','active','paused','waiting'])[1 + i % 7]"
    mine = f"1 + (i - 1) % {size.activations}"
    fill(
        Store, size.stores,
        name="'Loja ' || i", cnpj="'12ABC34501DE35'", domain="'loja' || i || '.example.com.br'",
    )  # fmt: skip
    fill(
        Activation, size.activations,
        store_id=_of(size.stores),
        connector_id=f"CASE i % 2 WHEN 0 THEN {partner} ELSE {managed} END",
        mode="CASE i % 2 WHEN 0 THEN 'partner' ELSE 'managed' END", name="'Integração ' || i",
        client_id="CASE i % 2 WHEN 0 THEN 'c' || i END",
        api_user="CASE i % 2 WHEN 0 THEN 'u' || i END",
        plugin_url="'https://loja.example.com.br/' || i", state=states,
        submission="gen_random_uuid()", created_by_id=str(operator), created_at=LONG_AGO,
    )  # fmt: skip
    fill(
        Credential, size.activations,
        activation_id=mine, kind="CASE i % 2 WHEN 0 THEN 'issued' ELSE 'received' END",
        client_secret_hash="CASE i % 2 WHEN 0 THEN md5('c' || i) ELSE '' END",
        api_secret_hash="CASE i % 2 WHEN 0 THEN md5('a' || i) ELSE '' END",
        sealed=f"'{seal({'token': 't'})}'",
        fingerprint="left(md5(i::text), 8)", created_by_id=str(operator),
    )  # fmt: skip
    # Only a partner has one; every second integration is one.
    fill(
        Endpoint, size.activations // 2, activation_id="i * 2",
        disabled_at="CASE i % 100 WHEN 0 THEN now() END",
        disabled_reason="CASE i % 100 WHEN 0 THEN 'HTTP 500' ELSE '' END",
    )  # fmt: skip
    which = f"1 + (i - 1) / {size.activations}"
    fill(
        ActivationFlow, 3 * size.activations,
        activation_id=mine,
        ability=f"(ARRAY['ProductSource','PriceSource','StockSource'])[{which}]",
        flow=f"(ARRAY['products','prices','stock'])[{which}]",
        every="600", grace="600", watched_since="now() - interval '90 days'",
        last_success_at="now() - interval '1 minute' * (i % 22)",
        last_run_at="now() - interval '1 minute' * (i % 22)",
        last_change_at="now() - interval '1 hour' * (i % 40)",
    )  # fmt: skip


def _seed_catalogue(size: Size) -> None:
    fill(
        Product, size.products,
        public_id="substr(md5('product' || i), 1, 24)", store_id=_of(size.stores),
        sku="'SKU-' || i", name="'Produto ' || i", ean="lpad(i::text, 13, '7')",
    )  # fmt: skip
    fill(Price, size.products, product_id="i", price="10 + i % 500")
    fill(Stock, size.products, product_id="i", on_hand="i % 40")
    fill(Modification, size.products, product_id="i", store_id=_of(size.stores))
    fill(
        Taken, size.products,
        activation_id=_of(size.activations), flow="'products'", record_id="'SKU-' || i",
        product_id="i", digest="i",
    )  # fmt: skip
    fill(
        Sent, size.products,
        activation_id=_of(size.activations), flow="'stock'", product_id="i",
        code="'SKU-' || i", digest="md5(i::text)",
    )  # fmt: skip
    fill(
        SkuMapping, size.products // 5,
        activation_id=_of(size.activations), code="'C-' || i", product_id="i",
    )  # fmt: skip


def _seed_orders(size: Size) -> None:
    statuses = "(ARRAY['approved','shipped','delivered','pending','canceled'])[1 + i % 5]"
    often = OFTEN.format(count=size.orders)
    fill(
        Order, size.orders,
        public_id="substr(md5('order' || i), 1, 24)", store_id=_of(size.stores),
        source_id=_of(size.activations), original_id="'N-' || i", channel="'Feira'",
        status=statuses, total="50 + i % 300", created_at=often, modified_at=often,
    )  # fmt: skip
    fill(
        Line, size.orders,
        public_id="substr(md5('line' || i), 1, 24)", order_id="i",
        sku=f"'SKU-' || ({_of(size.products)})", product_id=_of(size.products), quantity="1",
        price="50",
    )  # fmt: skip
    fill(Payment, size.orders, public_id="substr(md5('pay' || i), 1, 24)", order_id="i")
    fill(Shipment, size.orders, public_id="substr(md5('ship' || i), 1, 24)", order_id="i")
    fill(StatusChange, size.orders, order_id="i", status="'approved'", author="'Ana'")
    fill(
        OrderLink, size.orders,
        order_id="i", activation_id=_of(size.activations), external_id="i::text",
    )  # fmt: skip


def _seed_history(size: Size) -> None:
    any_activation = _of(size.activations)
    outcomes = "(ARRAY['done','done','done','done','done','done','partial','failed'])[1 + i % 8]"
    started = OFTEN.format(count=size.runs)
    fill(
        Run, size.runs,
        activation_id=any_activation, ability="'StockSource'", flow="'stock'",
        started_at=started, planned_at=started, expires_at=started, ended_at=started,
        outcome=outcomes, seen="i % 500", changed="i % 7",
    )  # fmt: skip
    fill(
        Failure, size.failures,
        activation_id=any_activation, run_id="i", flow="'stock'", record_id="'SKU-' || i",
        kind="'refused'", cause="(ARRAY['unknown_sku','missing_data','other'])[1 + i % 3]",
        reason="'A loja não tem o SKU.'", first_at=LONG_AGO, last_at=LONG_AGO,
        resolved_at="CASE WHEN i % 10 > 0 THEN now() END", payload="'{\"sku\": \"A\"}'::jsonb",
    )  # fmt: skip
    created = OFTEN.format(count=size.notices)
    fill(
        Notice, size.notices,
        activation_id="2 * (" + _of(size.activations // 2) + ")", message_id="'msg_' || i",
        topic="'orders'", action="'updated'", object_id="substr(md5('order' || i), 1, 24)",
        created_at=created, due_at=created, delivered_at=created, attempts="1",
    )  # fmt: skip
    fill(
        Ring, size.notices // 10,
        activation_id=any_activation, ability="'StockSource'", record_id="'R-' || i",
        handled_at="now()",
    )  # fmt: skip
    fill(
        Incident, size.questions,
        activation_id="i", kind="'silent'",
        ended_at="CASE WHEN i % 20 > 0 THEN now() END", opened_at=LONG_AGO,
    )  # fmt: skip
    fill(
        Brake, size.questions,
        activation_id="i", ability="'StockSource'", flow="'stock'", danger="'zeroed'",
        count="40", base="100", limit="30", asked_at=LONG_AGO,
    )  # fmt: skip
    fill(
        Comparison, size.questions,
        activation_id="i", purpose="'catalogue'", asked_at=LONG_AGO, ended_at="now()",
        counts="'{\"stock\": {\"theirs\": 10, \"update\": 100}}'::jsonb",
    )  # fmt: skip
    fill(
        Difference, 100 * size.questions,
        comparison_id="1 + (i - 1) / 100", flow="'stock'", kind="'update'", record_id="'SKU-' || i",
        ours="'1'", theirs="'2'",
    )  # fmt: skip
    fill(
        Alert, size.questions,
        channel="'email'", message_id="'a' || i", subject="'1 incidente'", sent_at="now()",
    )  # fmt: skip
