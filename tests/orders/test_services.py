"""How an order arrives, moves, and what a channel says of it later."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from catalog.models import Stock
from catalog.services import create_product
from connectors.errors import Duplicate, NothingChanged
from connectors.models import Activation, Failure, Notice, Store
from connectors.payload import Payload
from connectors.records import LineRecord, OrderStatus
from orders.models import Order, OrderLink, StatusChange
from orders.personal_data import anonymise
from orders.push import to_record
from orders.services import (
    Backwards,
    create_order,
    import_order,
    update_order,
)
from orders.wire import read_order, write_order
from tests.conftest import make_activation, make_operator, make_store
from tests.orders.samples import RECORD, become, document, managed


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga", plugin_url="https://pluga.example/hook")


# -- Arriving --------------------------------------------------------------------------------------
def test_a_line_knows_the_product_of_its_variations_sku(store, pluga):
    parent = store.products.create(sku="CAM")
    variation = store.products.create(sku="CAM-P", parent=parent)
    items = [
        {"sku": "CAM", "quantity": 1, "variation": {"sku": "CAM-P"}},
        {"sku": "CAM", "quantity": 1, "variation": {"sku": None}},
        {"sku": "NADA", "quantity": 1},
    ]

    order = create_order(pluga, document(items=items))

    assert [line.product for line in order.lines.all()] == [variation, parent, None]


def test_a_failure_leaves_nothing_of_an_order(store, pluga):
    make_activation(store, "linx", plugin_url="https://linx.example/hook")
    create_order(pluga, document("1"))
    OrmQ.objects.all().delete()
    before = (Order.objects.count(), StatusChange.objects.count(), Notice.objects.count())

    with pytest.raises(Duplicate):
        create_order(pluga, document("1"))

    after = (Order.objects.count(), StatusChange.objects.count(), Notice.objects.count())
    assert after == before
    assert not OrmQ.objects.exists()


def test_the_database_itself_refuses_the_second_of_one_original_id(store, pluga):
    create_order(pluga, document("1"))

    again = Order(
        store=store, source=pluga, original_id="1", channel="MercadoLivre", status="pending"
    )
    either = r"original_id|order_once_per_channel_account"  # SQLite names the columns
    with pytest.raises(IntegrityError, match=either), transaction.atomic():
        again.save()


@pytest.mark.parametrize("total", [-1, Decimal("-0.01")])
def test_the_database_itself_refuses_a_negative_total(store, pluga, total):
    with pytest.raises(IntegrityError, match="order_total_not_negative"), transaction.atomic():
        Order.objects.create(store=store, source=pluga, status="pending", total=total)


def test_the_database_itself_refuses_a_status_that_nobody_knows(store, pluga):
    with pytest.raises(IntegrityError, match="order_status_known"), transaction.atomic():
        Order.objects.create(store=store, source=pluga, status="enviado")


# -- Moving ----------------------------------------------------------------------------------------
def test_a_step_names_its_author(store, pluga):
    rocky = make_activation(store, "rocky", custom_name="A loja")
    operator = make_operator()
    order = create_order(pluga, document(status="pending"))

    update_order(order.pk, become(OrderStatus.APPROVED), operator)
    update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    steps = [
        (step.previous, step.status, step.author, step.activation, step.user)
        for step in order.status_changes.all()
    ]
    assert steps == [
        ("", "pending", str(pluga), pluga, None),
        ("pending", "approved", "ativadora", None, operator),
        ("approved", "invoiced", f"A loja ({store})", rocky, None),
    ]


PAID = {"status": "paid"}


@pytest.mark.parametrize(
    ("said", "total"),
    [
        ({"shipping": 5, "discount": 1}, "63.9"),
        ({"discount": 100}, "0"),
        ({"discount": 5, "items": [{"sku": "CAN-07", "quantity": 1}]}, "0"),
    ],
)
def test_a_total_that_nobody_said_refuses_no_order(pluga, said, total):
    brought = document(**said, total=None)

    assert create_order(pluga, brought).total == Decimal(total)


@pytest.mark.parametrize(
    ("first", "change", "total"),
    [
        ({"total": None}, {"items": [{"sku": "CAN-07", "quantity": 3, "price": "10"}]}, "30"),
        ({"total": None, "shipping": 5}, {"shipping": 7, "discount": "0.9"}, "66"),
        (
            {"total": None},
            {"items": [{"sku": "CAN-07", "quantity": 3, "price": "10"}]} | PAID,
            "30",
        ),
        ({"total": None}, PAID, "59.9"),
        ({"total": "61.5"}, {"items": [{"sku": "CAN-07", "quantity": 3, "price": "10"}]}, "61.5"),
        ({"total": "61.5"}, {"shipping": 7}, "61.5"),
        ({"total": None}, {"discount": 5, "total": 50}, "50"),
    ],
)
def test_a_total_that_nobody_said_stays_the_sum_of_the_parts(pluga, first, change, total):
    order = create_order(pluga, document(**first))

    changed = update_order(order.pk, read_order(Payload(change)), pluga)

    assert changed.total == Order.objects.get().total == Decimal(total)
    shown = write_order(Order.objects.with_everything().get(), pluga)
    assert shown["total"] == float(total)


@pytest.mark.parametrize("unsaid", [{}, {"price": None}], ids=["absent", "null"])
def test_an_item_told_without_its_price_costs_in_the_sum_what_it_costs(pluga, unsaid):
    order = create_order(pluga, document(total=None))
    item = {"id": order.lines.get().public_id, "quantity": 3, **unsaid}

    changed = update_order(order.pk, read_order(Payload({"items": [item]})), pluga)

    assert order.lines.get().price == Decimal("29.95")
    assert changed.total == Decimal("89.85")


def test_an_order_that_is_paid_later_was_approved_when_it_was(pluga):
    order = create_order(pluga, document())

    paid = update_order(order.pk, become(OrderStatus.PAID), pluga)

    assert paid.approved_at == order.approved_at == order.created_at


def test_late_news_does_not_move_an_order_backwards(store, pluga):
    rocky = make_activation(store, "rocky")
    order = create_order(pluga, document())
    update_order(order.pk, become(OrderStatus.SHIPPING_INFORMED), rocky)

    with pytest.raises(Backwards, match="O pedido 1001 já está entrega informada e não volta"):
        update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    order.refresh_from_db()
    assert order.status == "shipping_informed"


def test_a_refused_step_is_on_record_once(store, pluga):
    rocky = make_activation(store, "rocky")
    order = create_order(pluga, document())
    update_order(order.pk, become(OrderStatus.SHIPPING_INFORMED), rocky)

    for _time in range(3):
        with pytest.raises(Backwards):
            update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    refused = order.status_changes.filter(applied=False)
    assert [(step.previous, step.status, step.author) for step in refused] == [
        ("shipping_informed", "invoiced", str(rocky))
    ]


def test_a_known_fact_is_no_change(pluga):
    order = create_order(pluga, document())

    with pytest.raises(NothingChanged, match=r"^Changes not found in the order$"):
        update_order(order.pk, document(), pluga)

    assert order.status_changes.count() == 1


# -- Read from a channel ---------------------------------------------------------------------------
def test_an_order_that_a_channel_shows_is_stored_once(store):
    hub = managed(store, "pluggto")

    first = import_order(hub, RECORD)
    with pytest.raises(NothingChanged):
        import_order(hub, RECORD)

    order = Order.objects.get()
    assert order == first
    assert (order.status, order.total) == ("pending", Decimal("59.9"))
    assert order.fields["payer_name"] == "Ana"
    assert [(line.sku, line.quantity, line.price) for line in order.lines.all()] == [
        ("CAN-07", 2, Decimal("29.95"))
    ]
    assert order.payments.get().payment_total == Decimal("59.9")
    assert order.shipments.get().shipping_company == "Mercado Envios"
    link = OrderLink.objects.get()
    assert (link.external_id, link.wanted_status) == (RECORD.external_id, link.sent_status)


def test_an_order_of_another_stores_channel_is_another_one(store):
    import_order(managed(store, "pluggto"), RECORD)

    import_order(managed(make_store(), "pluggto"), RECORD)

    assert Order.objects.count() == 2


def test_a_platforms_own_number_for_an_order_is_none_of_its_channels(store):
    hub = managed(store, "pluggto")
    rocky = managed(store, "rocky")
    order = import_order(hub, RECORD)
    OrderLink.objects.filter(order=order, activation=rocky).update(external_id="7")

    import_order(hub, replace(RECORD, external_id="7", original_id="another"))

    assert Order.objects.count() == 2


def test_orders_without_an_id_at_their_channel_are_not_one(store):
    hub = managed(store, "pluggto")
    import_order(hub, replace(RECORD, external_id=""))

    import_order(hub, replace(RECORD, external_id="", original_id="another"))

    assert Order.objects.count() == 2


def test_what_the_channel_says_later_is_taken_over(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    import_order(hub, RECORD)

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, fields={"payer_name": "Eva"}))

    order = Order.objects.get()
    assert (order.status, order.fields["payer_name"]) == ("approved", "Eva")
    assert OrderLink.objects.get(activation=rocky).wanted_status == "approved"
    assert OrderLink.objects.get(activation=hub).wanted_status == "pending"


def test_items_and_payments_that_its_channel_changes_are_the_orders(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    create_product(store, {"sku": "CAN-07", "quantity": 3}, None)
    import_order(hub, replace(RECORD, payments=()))
    fewer = {"total": Decimal("29.95"), "lines": (LineRecord("CAN-07", 1, Decimal("29.95")),)}

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, **fewer))
    with pytest.raises(NothingChanged):
        import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, **fewer))

    pushed = to_record(OrderLink.objects.get(activation=rocky), {})
    assert (pushed.total, pushed.lines[0].quantity) == (Decimal("29.95"), 1)
    assert pushed.payments[0]["payment_total"] == "59.9"
    assert Stock.objects.get().reserved == 1


def test_items_that_its_channel_changes_when_a_platform_has_it_are_shown(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    fewer = (LineRecord("CAN-07", 1, Decimal("29.95")),)
    OrderLink.objects.filter(activation=rocky).update(sent_status="approved")

    order = import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, lines=fewer))

    failure = Failure.objects.get()
    assert (failure.activation, failure.record_id) == (rocky, order.public_id)
    assert "mudou os itens, o pagamento ou o total do pedido 2000011434004146" in failure.reason
    assert failure.retry_at is None


CREDIT = {"payment_type": "credit", "payment_total": "59.9"}


@pytest.mark.parametrize(
    "changed",
    [
        {"total": Decimal("49.90")},
        {"payments": ({**CREDIT, "payment_total": "49.9"},)},
        {"payments": ({**CREDIT, "payment_type": "pix"},)},
        {"payments": ({**CREDIT, "payment_installments": 3},)},
        {"payments": (CREDIT, {"payment_type": "voucher", "payment_total": "10"})},
    ],
)
def test_money_that_its_channel_changes_when_a_platform_has_it_is_shown(store, changed):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    order = import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    OrderLink.objects.filter(activation=rocky).update(sent_status="approved")

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, **changed))

    failure = Failure.objects.get()
    assert (failure.activation, failure.record_id) == (rocky, order.public_id)


@pytest.mark.parametrize(
    "paid",
    [
        {**CREDIT, "payment_installments": "1", "payment_authorization_code": "R2"},
        {**CREDIT, "payment_type": "Credit", "payment_card_brand": "visa"},
    ],
)
@pytest.mark.parametrize("before", [(CREDIT,), (), ({"payment_type": "credit"},)])
def test_what_becomes_known_of_a_payment_is_not_shown(store, before, paid):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    import_order(hub, replace(RECORD, payments=before))
    OrderLink.objects.filter(activation=rocky).update(sent_status="pending")

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, payments=(paid,)))

    assert not Failure.objects.exists()


def test_units_of_one_sku_in_several_lines_count_together(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    one, two = (LineRecord("CAN-07", quantity, Decimal("29.95")) for quantity in (1, 2))
    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, lines=(two, one)))
    OrderLink.objects.filter(activation=rocky).update(sent_status="approved")

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, lines=(one, one)))

    assert Failure.objects.get().activation == rocky


def test_of_an_order_that_is_over_nothing_is_to_be_corrected(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    OrderLink.objects.filter(activation=rocky).update(sent_status="approved")

    import_order(hub, replace(RECORD, status=OrderStatus.CANCELED, total=Decimal("49.90")))

    assert not Failure.objects.exists()


@pytest.mark.parametrize("sent", ["", "approved"])
def test_what_a_platform_does_not_have_yet_or_is_the_same_there_is_not_shown(store, sent):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    OrderLink.objects.filter(activation=rocky).update(sent_status=sent)
    units = 2 if sent else 1
    line = LineRecord("CAN-07", units, Decimal("29.95"), {"name": "Caneca"})

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, lines=(line,)))

    assert not Failure.objects.exists()


def test_an_item_of_which_its_channel_leaves_none_is_gone(store):
    hub = managed(store, "pluggto")
    mug, shirt = (LineRecord(sku, 1, Decimal(10)) for sku in ("CAN-07", "CAM-01"))
    order = import_order(hub, replace(RECORD, lines=(mug, shirt)))

    import_order(hub, replace(RECORD, lines=(mug, replace(shirt, quantity=0))))
    assert [line.sku for line in order.lines.all()] == ["CAN-07"]

    nothing = (replace(mug, quantity=0), replace(shirt, quantity=0))
    import_order(hub, replace(RECORD, status=OrderStatus.CANCELED, lines=nothing))
    assert [line.sku for line in order.lines.all()] == ["CAN-07"]
    assert Order.objects.get().status == "canceled"


def test_an_answer_without_payments_takes_none_away(store):
    hub = managed(store, "pluggto")
    order = import_order(hub, RECORD)

    with pytest.raises(NothingChanged):
        import_order(hub, replace(RECORD, payments=()))

    assert order.payments.count() == 1


def test_an_order_that_comes_late_may_have_lost_an_item(store):
    mug, shirt = (LineRecord(sku, 1, Decimal(10)) for sku in ("CAN-07", "CAM-01"))

    order = import_order(
        managed(store, "pluggto"), replace(RECORD, lines=(mug, replace(shirt, quantity=0)))
    )

    assert [line.sku for line in order.lines.all()] == ["CAN-07"]


def test_items_and_payments_in_another_order_are_the_same(store):
    hub = managed(store, "pluggto")
    mug, shirt = (LineRecord(sku, 1, Decimal(10)) for sku in ("CAN-07", "CAM-01"))
    card, slip = ({"payment_type": each} for each in ("credit", "ticket"))
    import_order(hub, replace(RECORD, lines=(mug, shirt), payments=(card, slip)))

    with pytest.raises(NothingChanged):
        import_order(hub, replace(RECORD, lines=(shirt, mug), payments=(slip, card)))


def test_an_order_that_names_nobody_takes_no_payment_back(store):
    hub = managed(store, "pluggto")
    order = import_order(hub, replace(RECORD, status=OrderStatus.CANCELED))
    anonymise(store, [order.pk], "Ana", make_operator())
    named = ({"payment_type": "credit", "payment_additional_info": "Ana"},)

    with pytest.raises(NothingChanged):
        import_order(hub, replace(RECORD, status=OrderStatus.CANCELED, payments=named))


@pytest.mark.parametrize(
    "renamed",
    [{"original_id": "2000011434009999"}, {"channel_account": "Loja nova"}, {"channel": "Meli"}],
)
def test_an_order_that_its_channel_renames_stays_the_same_one(store, renamed):
    hub = managed(store, "pluggto")
    first = import_order(hub, RECORD)

    import_order(hub, replace(RECORD, status=OrderStatus.APPROVED, **renamed))

    order = Order.objects.get()
    assert (order.public_id, order.status) == (first.public_id, "approved")
    assert {name: getattr(order, name) for name in renamed} == renamed


def test_a_channel_that_has_not_heard_yet_moves_nothing_back(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    order = import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
    update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    with pytest.raises(NothingChanged):
        import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))

    assert not order.status_changes.filter(applied=False).exists()


def test_a_channel_that_goes_on_with_what_it_ended_is_shown_whoever_was_refused_since(store):
    hub, rocky = managed(store, "pluggto"), managed(store, "rocky")
    order = import_order(hub, replace(RECORD, status=OrderStatus.CANCELED))
    with pytest.raises(Backwards):
        update_order(order.pk, become(OrderStatus.INVOICED), rocky)

    with pytest.raises(Backwards):
        import_order(hub, replace(RECORD, status=OrderStatus.APPROVED))
