"""The invoice that a merchant types, and what can be told of a key and of a parcel's code."""

import pytest
from django.contrib.auth.models import User

from connectors.errors import NotAllowed, NothingChanged
from connectors.fiscal import check_digit
from connectors.models import Act, Store
from connectors.records import InvoiceRecord, OrderStatus, TrackingRecord
from orders.carriers import is_postal, postal_digit_fits, tracking_link
from orders.invoice_keys import look_at
from orders.invoicing import inform_invoice
from orders.models import Order, Shipment
from orders.services import create_order, update_order
from orders.tracking import inform_tracking
from orders.wire import OrderDocument
from tests.conftest import make_activation, make_managed
from tests.orders.samples import document

PLUGGTO = {"client_id": "c", "client_secret": "s", "api_user": "u", "api_secret": "p"}


def key(state="35", month="2607", cnpj="12ABC34501DE35", model="55") -> str:
    body = f"{state}{month}{cnpj}{model}001000000123112345678"
    return body + check_digit(body)


@pytest.fixture
def order(store: Store) -> Order:
    order = create_order(make_activation(store, "pluga"), document("1001"))
    order.created_at = order.created_at.replace(year=2026, month=7, day=15)
    order.save()
    return order


def test_a_good_key_is_good(order):
    look = look_at(key(), order)

    assert (look.wrong, look.doubts) == ([], [])


@pytest.mark.parametrize(
    "bad", [key()[:-1] + "0", key()[:43], key(model="57"), key(state="99"),
            key(cnpj="12ABC34501DE36")]
)  # fmt: skip
def test_what_is_certainly_wrong_is_said(bad, order):
    assert len(look_at(bad, order).wrong) == 1


@pytest.mark.parametrize("odd", [key(month="2603"), key(cnpj="00000000000191")])
def test_what_may_be_right_is_only_doubted(odd, order):
    look = look_at(odd, order)

    assert (look.wrong, len(look.doubts)) == ([], 1)


def test_a_key_that_another_order_has_is_doubted(order):
    create_order(order.source, document("1002", shipments=[{"nfe_key": key()}]))

    assert look_at(key(), order).doubts == ["Outro pedido da loja já tem esta nota."]


def test_the_merchants_invoice_takes_the_order_on_and_names_him(order):
    merchant = User.objects.create_user("lojista")
    record = InvoiceRecord(key=key(), number="123", series="1")

    inform_invoice(order.pk, record, merchant)

    order.refresh_from_db()
    step = order.status_changes.last()
    assert (order.status, step.user) == ("invoiced", merchant)
    assert order.shipments.get().nfe_key == key()
    with pytest.raises(NothingChanged):
        inform_invoice(order.pk, record, merchant)


def test_the_invoice_before_takes_its_link_along(order):
    merchant = User.objects.create_user("lojista")
    inform_invoice(order.pk, InvoiceRecord(key=key(), link="https://nf.example/1"), merchant)
    refused = OrderDocument(head={}, status=OrderStatus.INVOICE_ERROR)
    update_order(order.pk, refused, order.source)

    inform_invoice(order.pk, InvoiceRecord(key=key(month="2608")), merchant)

    shipment = order.shipments.get()
    assert (shipment.nfe_key, shipment.nfe_link) == (key(month="2608"), "")


def test_what_was_typed_is_on_record_with_what_it_said_before(order):
    merchant = User.objects.create_user("lojista")
    make_activation(order.store, "otimo")
    sent = {"shipments": [{"track_code": "1", "shipping_company": "Correios"}]}
    order = create_order(order.source, document("1002", status="invoiced", **sent))

    inform_tracking(order.pk, TrackingRecord(company="Correios", code="2"), merchant)
    inform_tracking(order.pk, TrackingRecord(company="Loggi", code="2"), merchant)

    second, first = Act.objects.filter(by=merchant, store=order.store)
    assert first.what == "Rastreio informado."
    assert first.object_id == str(order.pk)
    assert first.changes == {"código de rastreio": ["1", "2"]}
    assert second.changes == {"transportadora": ["Correios", "Loggi"]}


def test_the_first_invoice_is_on_record_as_well(order):
    merchant = User.objects.create_user("lojista")

    inform_invoice(order.pk, InvoiceRecord(key=key(), number="123"), merchant)

    act = Act.objects.get(by=merchant)
    assert act.what == "Nota fiscal informada."
    assert act.changes == {"chave da NF-e": ["", key()], "número da NF-e": ["", "123"]}


@pytest.mark.parametrize(
    ("status", "inform", "record", "following"),
    [
        ("invoice_error", inform_invoice, InvoiceRecord(key=key()), "invoiced"),
        ("shipping_error", inform_tracking, TrackingRecord(code="1"), "shipping_informed"),
    ],
)
def test_what_the_channel_refused_is_told_to_it_anew(store, status, inform, record, following):
    channel = make_managed(store, "pluggto", "https://hub.example", PLUGGTO)
    order = create_order(channel, document("1001", status=status))
    link = order.links.get(activation=channel)

    inform(order.pk, record, User.objects.create_user("lojista"))

    order.refresh_from_db()
    link.refresh_from_db()
    assert (order.status, link.wanted_status) == (following, following)


def test_where_a_platform_reports_invoices_nobody_types_them(order, store):
    make_activation(store, "webstore")

    with pytest.raises(NotAllowed):
        inform_invoice(order.pk, InvoiceRecord(key=key()), User.objects.create_user("lojista"))


@pytest.mark.parametrize(
    ("code", "fits"),
    [("RR473124829PT", True), ("AA123456785BR", True), ("NL262847644BR", True),
     ("QC638247124BR", True), ("SS123456789BR", False)],
)  # fmt: skip
def test_a_postal_code_says_whether_it_can_be_right(code, fits):
    assert is_postal(code)
    assert postal_digit_fits(code) is fits


@pytest.mark.parametrize(
    ("fields", "link"),
    [
        ({"track_url": "https://t.example/1", "shipping_company": "Correios"},
         "https://t.example/1"),
        ({"track_url": "javascript:alert(1)"}, ""),
        ({"shipping_company": "Correios", "track_code": "A&B"},
         "https://rastreamento.correios.com.br/app/index.php?objetos=A%26B"),
        ({"shipping_company": "Jadlog", "track_code": "1"}, ""),
    ],
)  # fmt: skip
def test_a_parcel_is_followed_where_its_platform_or_its_carrier_says(fields, link):
    assert tracking_link(Shipment(**fields)) == link
