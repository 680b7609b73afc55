"""What a merchant sees of his orders, and of nobody else's."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from catalog.services import change_stock, create_product
from connectors.models import Store
from connectors.payload import to_moment
from orders.models import BuyerMail, Order
from portal.pages import orders as orders_page
from portal.pages.merchant_forms import TrackingForm
from tests.conftest import Partner, make_managed, make_partner, make_store

SHIPPED = "2026-11-06 22:30:00"
KEY = "35260712ABC34501DE35550010000001231123456787"


def place(by: Partner, number: str, **fields: Any) -> Order:
    body = {
        "original_id": number,
        "channel": "Mercado Livre",
        "status": "approved",
        "total": 1234.5,
        "payer_name": "Ana",
        "payer_lastname": "Souza",
        "items": [{"sku": "A", "name": "Caneca", "quantity": 2, "price": 617.25}],
    }
    assert by.post("/orders", {**body, **fields}).status_code == 201
    return Order.objects.get(original_id=number, source=by.activation)


def text_of(answer: Any) -> str:
    """What stands on the page, without its markup."""
    html = re.sub(r"<select.*?</select>", "", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(strip_tags(html)))


def orders_on(answer: Any, before: str = "") -> list[str]:
    return re.findall(rf'href="/orders/\w+/">{before}([^<]+)<', answer.content.decode())


# -- Whose --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/orders/", "/orders/606a7d2de2dc666bac3206b5/"])
def test_the_pages_are_behind_a_login(path: str, db: None) -> None:
    answer = Client().get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")


def test_a_merchant_logs_in_and_out(merchant: User, channel: Partner) -> None:
    place(channel, "1001")
    client = Client()
    wrong = client.post("/login/", {"username": "lojista", "password": "não é esta"})
    assert "Usuário ou senha não conferem." in text_of(wrong)

    logged_in = client.post(
        "/login/?next=/orders/",
        {"username": "lojista", "password": "senha-da-lojista"},
        follow=True,
    )

    assert orders_on(logged_in) == ["1001"]
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/orders/").status_code == 302


def test_a_merchant_sees_only_the_orders_of_his_stores(
    page: Client, merchant: User, channel: Partner
) -> None:
    place(channel, "1001")
    second = make_store(name="Segunda loja da Ana")
    second.members.add(merchant)
    place(make_partner(second, "pluga"), "2001")
    place(make_partner(make_store(), "pluga"), "3001")

    answer = page.get("/orders/")

    assert orders_on(answer) == ["2001", "1001"]
    assert "Segunda loja da Ana" in text_of(answer)


def test_anothers_order_is_as_unknown_as_one_that_nobody_has(page: Client) -> None:
    foreign = place(make_partner(make_store(), "pluga"), "3001")

    answer, unknown = page.get(f"/orders/{foreign.public_id}/"), page.get("/orders/nenhum/")

    assert answer.status_code == unknown.status_code == 404
    assert answer.content == unknown.content


def test_an_operator_is_no_merchant_of_every_store(operator: User, channel: Partner) -> None:
    order = place(channel, "1001")
    client = Client()
    client.force_login(operator)

    assert orders_on(client.get("/orders/")) == []
    assert client.get(f"/orders/{order.public_id}/").status_code == 404


# -- The list -----------------------------------------------------------------------------------


def test_the_list_says_what_there_is_to_know(page: Client, channel: Partner, store: Store) -> None:
    place(channel, "1001")

    text = text_of(page.get("/orders/"))

    for fact in ("1001", store.name, "Mercado Livre", "Ana Souza", "R$ 1.234,50", "Aprovado"):
        assert fact in text


def test_the_list_is_filtered_by_status(page: Client, channel: Partner) -> None:
    place(channel, "1001")
    place(channel, "1002", status="pending")

    assert orders_on(page.get("/orders/", {"status": "pending"})) == ["1002"]
    assert orders_on(page.get("/orders/", {"status": "no such"})) == ["1002", "1001"]


def test_the_stores_sums_are_not_shown_as_an_integrations(page: Client, channel: Partner) -> None:
    place(channel, "1001")

    every = page.get("/orders/")
    one = page.get("/orders/", {"integration": channel.activation.pk})

    assert (every.context["shown"].orders, one.context["shown"]) == (1, None)


def test_the_filter_keeps_what_was_chosen(page: Client, channel: Partner) -> None:
    answer = page.get("/orders/", {"status": "shipped"})

    tab = '<a href="?status=shipped" aria-current="page">Enviado</a>'
    assert tab in answer.content.decode()
    assert "Nenhum pedido nesta situação." in text_of(answer)


def test_a_merchant_without_orders_is_told_what_to_expect(page: Client) -> None:
    text = text_of(page.get("/orders/"))

    assert "Ainda não chegou nenhum pedido." in text
    assert "peça ao suporte para conferir as integrações" in text


def test_older_orders_are_on_the_next_page(
    page: Client, channel: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_page, "PER_PAGE", 2)
    placed = [place(channel, str(number)) for number in range(1001, 1006)]

    first = page.get("/orders/", {"status": "approved"})
    older = re.search(r'href="\?status=approved&amp;before=(\d+)"', first.content.decode())

    assert orders_on(first) == ["1005", "1004"]
    assert older is not None
    assert int(older[1]) == placed[3].pk
    second = page.get("/orders/", {"status": "approved", "before": older[1]})
    assert orders_on(second) == ["1003", "1002"]
    last = page.get("/orders/", {"before": str(placed[1].pk)})
    assert orders_on(last) == ["1001"]
    assert "Mais antigos" not in text_of(last)


def test_each_order_is_on_one_page_also_of_those_of_one_moment(
    page: Client, channel: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_page, "PER_PAGE", 1)
    latest, *_same = (place(channel, number) for number in ("1001", "1002", "1003"))
    day = latest.created_at
    Order.objects.exclude(pk=latest.pk).update(created_at=day - timedelta(hours=1))
    foreign = place(make_partner(make_store(), "pluga"), "2001")
    Order.objects.filter(pk=foreign.pk).update(created_at=day - timedelta(hours=2))

    shown, before = [], str(foreign.pk)
    for _page in range(3):
        answer = page.get("/orders/", {"before": before})
        shown += orders_on(answer)
        before = str(answer.context["older"])

    assert shown == ["1001", "1003", "1002"]


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "١٢", ""])
def test_a_strange_page_number_is_no_error(before: str, page: Client, channel: Partner) -> None:
    place(channel, "1001")

    assert orders_on(page.get("/orders/", {"before": before})) == ["1001"]


def test_what_a_channel_wrote_is_text_and_never_markup(page: Client, channel: Partner) -> None:
    order = place(channel, "<b>1</b>", channel="<script>alert(1)</script>", payer_name="<i>")

    for path in ("/orders/", f"/orders/{order.public_id}/"):
        html = page.get(path).content.decode()
        assert "<script>" not in html
        assert "<b>1" not in html
        assert "<i>" not in html


# -- One order ----------------------------------------------------------------------------------


def test_every_step_appears_with_its_time_and_its_author(
    page: Client, channel: Partner, store: Store
) -> None:
    platform = make_partner(store, "webstore", name="Webstore da loja")
    order = place(channel, "1001", status="pending")
    channel.put(f"/orders/{order.public_id}", {"status": "approved"})
    platform.put(
        f"/orders/{order.public_id}",
        {"status": "invoiced", "shipments": [{"nfe_key": KEY, "nfe_number": "123"}]},
    )
    Order.objects.get().status_changes.update(at="2026-11-05T13:04:05Z")

    answer = page.get(f"/orders/{order.public_id}/")

    steps = re.findall(
        r"<li>\s*<strong>(.*?)</strong>.*?</time> · (.*?)</span>", answer.content.decode(), re.S
    )
    assert steps == [
        ("Pendente", f"Pluga da loja ({store})"),
        ("Aprovado", f"Pluga da loja ({store})"),
        ("Faturado", f"Webstore da loja ({store})"),
    ]
    assert text_of(answer).count("05/11/2026 10:04:05") == 3  # in São Paulo


def test_a_step_that_was_refused_is_marked(page: Client, channel: Partner) -> None:
    order = place(channel, "1001", status="shipped")
    assert channel.put(f"/orders/{order.public_id}", {"status": "approved"}).status_code == 400

    html = page.get(f"/orders/{order.public_id}/").content.decode()

    refused = re.findall(r'<li class="refused">\s*<strong>(.*?)</strong>\s*<em>(.*?)</em>', html)
    assert refused == [("Aprovado", "não aplicada: o pedido já estava adiante")]


def test_the_invoice_and_the_tracking_are_shown(
    page: Client, channel: Partner, store: Store
) -> None:
    platform = make_partner(store, "webstore")
    order = place(channel, "1001")
    shipment = {
        "nfe_key": KEY,
        "nfe_number": "123",
        "nfe_serie": "1",
        "nfe_date": "2026-11-05 09:00:00",
        "shipping_company": "Correios",
        "shipping_method": "SEDEX",
        "track_code": "QC638247124BR",
        "date_shipped": "2026-11-06 10:00:00",
    }

    platform.put(f"/orders/{order.public_id}", {"status": "shipped", "shipments": [shipment]})

    text = text_of(page.get(f"/orders/{order.public_id}/"))
    for fact in (
        "123 / 1 · 05/11/2026",
        KEY,
        "Correios SEDEX",
        "QC638247124BR",
        "06/11/2026 10:00",
    ):
        assert fact in text
    assert "chave válida" in text


def test_an_invoices_link_that_is_no_address_is_not_followed(
    page: Client, channel: Partner
) -> None:
    pages = []
    for number, link in enumerate(("https://erp.example/danfe", "javascript:alert(1)")):
        order = place(channel, str(number), shipments=[{"nfe_number": "1", "nfe_link": link}])
        pages.append(page.get(f"/orders/{order.public_id}/").content.decode())

    assert 'href="https://erp.example/danfe"' in pages[0]
    assert 'href="javascript' not in pages[1]


def test_another_orders_mail_is_not_sent_from_this_page(page: Client, channel: Partner) -> None:
    order, foreign = place(channel, "1001"), place(make_partner(make_store(), "pluga"), "2001")
    mail = BuyerMail.objects.create(
        order=foreign, activation=foreign.source, kind="shipped", state="unknown",
        address="ana@example.com", subject="a", body="b",
    )  # fmt: skip

    page.post(f"/orders/{order.public_id}/", {"say": "mail", "mail": mail.pk})

    mail.refresh_from_db()
    assert mail.state == "unknown"


def test_once_the_tracking_is_typed_only_the_day_of_shipping_is_missing(
    page: Client, channel: Partner, store: Store
) -> None:
    make_partner(store, "otimo")
    order = place(channel, "1001", status="invoiced")
    url = f"/orders/{order.public_id}/"
    before = text_of(page.get(url))

    page.post(url, {"shipping_company": "Correios", "track_code": "QC638247124BR"})

    after = text_of(page.get(url))
    assert "Falta o rastreio" in before
    assert "informe o rastreio aqui" in before
    assert "Falta o rastreio" not in after
    assert "informe o rastreio aqui" not in after
    assert "informe aqui a data de envio" in after


def test_an_order_says_how_its_items_come_to_the_total(page: Client, channel: Partner) -> None:
    sums = {"shipping": "19.9", "discount": 5, "tax": 0, "total": "1014.80"}
    order = place(channel, "1001", items=[{"sku": "A", "quantity": 1, "price": "999.90"}], **sums)

    text = text_of(page.get(f"/orders/{order.public_id}/"))
    exported = b"".join(page.get("/orders/export/csv/").streaming_content).decode()

    assert "Frete R$ 19,90 Desconto R$ 5,00 Total do pedido R$ 1.014,80" in text
    assert "1 × A;19,90;5,00;1014,80" in exported


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"tax": 7, "total": 107}, "Impostos R$ 7,00"),
        ({"tax": 7, "total": 100}, "Impostos, já nos valores R$ 7,00"),
        ({"discount": 5, "total": 85}, "Desconto R$ 5,00 Outros descontos R$ 10,00"),
        ({"shipping": 9, "total": 112.5}, "Frete R$ 9,00 Outros acréscimos R$ 3,50"),
        ({"total": "100.004"}, ""),
    ],
)
def test_the_sums_of_an_order_come_to_its_total(
    page: Client, channel: Partner, said: dict[str, Any], shown: str
) -> None:
    items = [{"sku": "A", "quantity": 2, "price": "50"}]
    order = place(channel, "1001", items=items, **said)

    text = text_of(page.get(f"/orders/{order.public_id}/"))

    assert f"R$ 100,00 {shown} Total do pedido".replace("  ", " ") in text


def test_nothing_is_missing_in_a_sum_of_unknown_prices(page: Client, channel: Partner) -> None:
    order = place(channel, "1001", items=[{"sku": "A", "quantity": 1}], total=50, tax=7)

    text = text_of(page.get(f"/orders/{order.public_id}/"))
    assert "Outros" not in text
    assert "Impostos R$ 7,00" in text


def test_an_order_in_another_currency_is_not_shown_in_reais(
    page: Client, channel: Partner, operator: User
) -> None:
    paid = [{"payment_type": "credit", "payment_total": 59.9}]
    order = place(channel, "1001", currency="usd", total=59.9, payments=paid)
    support = Client()
    support.force_login(operator)

    own, listed = page.get(f"/orders/{order.public_id}/"), page.get("/orders/")
    in_admin = support.get("/admin/orders/order/")

    assert "R$" not in text_of(own)
    assert "USD 59,90" in text_of(own)
    assert "USD 59,90" in text_of(listed)
    assert "USD 59,90" in in_admin.content.decode()


def test_a_tracking_code_put_right_leaves_the_hour_of_shipping(
    page: Client, channel: Partner, store: Store
) -> None:
    make_partner(store, "otimo")
    shipment = {"shipping_company": "Correios", "track_code": "1", "date_shipped": SHIPPED}
    order = place(channel, "1001", status="shipped", shipments=[shipment])
    url = f"/orders/{order.public_id}/"
    typed = {"shipping_company": "Correios", "date_shipped": "2026-11-06"}

    page.post(url, {**typed, "track_code": "2"})
    known = page.post(url, {**typed, "track_code": "2"}, follow=True)

    sent = order.shipments.get()
    assert (sent.track_code, sent.date_shipped) == ("2", to_moment(SHIPPED))
    assert "Nada mudou" in text_of(known)
    page.post(url, {**typed, "track_code": "2", "date_delivered": "2026-11-06"})
    assert order.shipments.get().date_delivered == to_moment(SHIPPED)


def test_a_link_that_the_merchant_empties_is_gone(
    page: Client, channel: Partner, store: Store
) -> None:
    make_partner(store, "otimo")
    shipment = {"track_code": "1", "track_url": "https://antiga.example/1"}
    order = place(channel, "1001", status="invoiced", shipments=[shipment])

    page.post(
        f"/orders/{order.public_id}/",
        {"shipping_company": "Outra", "track_code": "1", "track_url": ""},
    )

    assert order.shipments.get().track_url == ""


@pytest.mark.parametrize(
    ("key", "doubt"),
    [
        (KEY[:-1] + "8", "o último confere os outros"),
        ("3526050X0J92JY000196570010000006041448679011", "Esta chave não é de NF-e nem de NFC-e."),
        (KEY, "Outro pedido da loja já tem esta nota."),
    ],
)
def test_an_invoice_key_that_cannot_be_this_orders_is_marked(
    key: str, doubt: str, page: Client, channel: Partner
) -> None:
    place(channel, "1000", shipments=[{"nfe_key": KEY}])
    order = place(channel, "1001", shipments=[{"nfe_key": key}])

    text = text_of(page.get(f"/orders/{order.public_id}/"))

    assert doubt in text
    assert "chave válida" not in text


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ({"payer_tax_id": "12ABC34501DE35"}, "12.ABC.345/01DE-35"),
        (
            {
                "payer_cpf": "52998224725",
                "payer_cnpj": "12.ABC.345/01DE-35",
                "payer_tax_id": "12ABC34501DE35",
            },
            "529.982.247-25 · 12.ABC.345/01DE-35",
        ),
    ],
)
def test_a_buyer_is_shown_with_every_number_that_the_channel_has_of_him(
    numbers: dict[str, str], shown: str, page: Client, channel: Partner
) -> None:
    order = place(channel, "1001", **numbers)

    text = text_of(page.get(f"/orders/{order.public_id}/"))

    assert shown in text
    assert text.count("12.ABC.345/01DE-35") == 1


def test_an_invoice_without_its_key_is_shown_too(page: Client, channel: Partner) -> None:
    order = place(channel, "1001", shipments=[{"nfe_number": "4711"}])

    assert "4711" in text_of(page.get(f"/orders/{order.public_id}/"))


@pytest.mark.parametrize("shipments", [[], [{"freight": []}]])
def test_before_there_is_a_delivery_the_page_says_so(
    shipments: list[Any], page: Client, channel: Partner
) -> None:
    order = place(channel, "1001", shipments=shipments)

    text = text_of(page.get(f"/orders/{order.public_id}/"))

    assert "Ainda não há nota fiscal nem rastreio." in text


def test_a_sku_that_the_store_does_not_have_is_marked(
    page: Client, channel: Partner, store: Store
) -> None:
    store.products.create(sku="A")
    items = [{"sku": sku, "quantity": 1, "price": 5} for sku in ("A", "B")]
    order = place(channel, "1001", items=items)

    text = text_of(page.get(f"/orders/{order.public_id}/"))

    assert text.count("não cadastrado") == 1
    assert "B não cadastrado" in text


def test_the_page_says_which_integrations_have_the_order(
    page: Client, channel: Partner, store: Store
) -> None:
    platform = make_partner(store, "webstore")
    order = place(channel, "1001", external="PL-1")
    platform.put(f"/orders/{order.public_id}", {"external": "WS-77"})

    text = text_of(page.get(f"/orders/{order.public_id}/"))

    assert "Pluga · número PL-1" in text
    assert "Webstore · número WS-77" in text


@pytest.mark.parametrize(
    ("slug", "is_asked"),
    [("otimo", True), ("webstore", True), ("rocky", False), ("linx", False)],
)
def test_a_cancelled_order_is_the_merchants_to_cancel_where_nobody_follows_the_hub(
    page: Client, channel: Partner, store: Store, slug: str, is_asked: bool
) -> None:
    name = make_partner(store, slug).activation.spec.name
    order = place(channel, "1001")
    before = text_of(page.get(f"/orders/{order.public_id}/"))

    channel.put(f"/orders/{order.public_id}", {"status": "canceled"})
    after = text_of(page.get(f"/orders/{order.public_id}/"))

    asked = f"{name} não cancela por aviso do hub: se o pedido já chegou lá, cancele-o lá também."
    assert (asked in before, asked in after) == (False, is_asked)


def test_a_cancelled_order_that_a_platform_was_never_sent_is_nobodys_to_cancel(
    page: Client, channel: Partner, store: Store
) -> None:
    webstore = make_managed(store, "webstore", "https://loja.example.com.br", {"token": "t"})
    order = place(channel, "1001")
    sent = order.links.filter(activation=webstore)
    texts = []

    for status in ("", "approved"):
        sent.update(sent_status=status)
        channel.put(f"/orders/{order.public_id}", {"status": "canceled"})
        texts.append(text_of(page.get(f"/orders/{order.public_id}/")))

    assert ["Webstore não cancela" in text for text in texts] == [False, True]


def test_who_pays_and_how_is_said_as_people_say_it(page: Client, channel: Partner) -> None:
    payments = [
        {"payment_type": "credit", "payment_installments": 3, "payment_total": 1000},
        {"payment_type": "fiado", "payment_total": 234.5},
    ]
    order = place(channel, "1001", payer_cpf="52998224725", payments=payments)

    text = text_of(page.get(f"/orders/{order.public_id}/"))

    assert "529.982.247-25" in text
    assert "Cartão de crédito · 3× · R$ 1.000,00fiado · R$ 234,50" in text


# -- Cost ---------------------------------------------------------------------------------------


def queries_of(page: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert page.get(path).status_code == 200
    return len(queries)


def test_a_longer_list_costs_no_more_queries(page: Client, channel: Partner) -> None:
    for number in range(3):
        place(channel, f"1{number}")
    short = queries_of(page, "/orders/")
    for number in range(30):
        place(channel, f"2{number}")

    assert queries_of(page, "/orders/") == short


def test_a_longer_order_costs_no_more_queries(page: Client, channel: Partner, store: Store) -> None:
    item = {"sku": "A", "quantity": 1, "price": 5}
    make_partner(store, "webstore", name="Webstore")
    short = place(channel, "1001", items=[item], shipments=[{"nfe_number": "1"}])
    for number in range(5):
        make_partner(store, "webstore", name=f"Webstore {number}")
    long = place(
        channel, "1002", items=[item] * 20, shipments=[{"nfe_number": str(n)} for n in range(9)]
    )
    channel.put(f"/orders/{long.public_id}", {"status": "picking"})

    counts = [queries_of(page, f"/orders/{order.public_id}/") for order in (short, long)]

    assert counts[0] == counts[1]


# -- Stock --------------------------------------------------------------------------------------
def test_an_order_says_what_it_wants_and_the_store_does_not_have(
    page: Client, channel: Partner, store: Store
) -> None:
    create_product(store, {"sku": "A", "quantity": 3}, None)
    served, short = place(channel, "1001"), place(channel, "1002")

    rows = text_of(page.get("/orders/"))
    pages = [text_of(page.get(f"/orders/{each.public_id}/")) for each in (served, short)]

    assert rows.count("sem estoque reservado") == 1
    assert "Sem estoque reservado" not in pages[0]
    assert "Sem estoque reservado: A (faltam 1)." in pages[1]


def test_an_order_that_was_served_since_says_nothing_of_stock(
    page: Client, channel: Partner, store: Store
) -> None:
    product = create_product(store, {"sku": "A", "quantity": 1}, None)
    order = place(channel, "1001")

    change_stock(store, product.pk, "update", 2, None)

    assert "Sem estoque reservado" not in text_of(page.get(f"/orders/{order.public_id}/"))


@pytest.mark.parametrize("day", ["0026-11-22", "0001-01-01"])
def test_a_year_that_nobody_meant_is_asked_about(day: str) -> None:
    form = TrackingForm(Order(), {"shipping_company": "C", "track_code": "1", "date_shipped": day})

    assert form.errors == {"date_shipped": ["Confira o ano."]}


def test_the_page_of_refused_tracking_begins_at_what_is_wrong(
    page: Client, channel: Partner, store: Store
) -> None:
    make_partner(store, "otimo")
    order = place(channel, "1001", status="invoiced")

    answer = page.post(f"/orders/{order.public_id}/", {"shipping_company": "Correios"})

    assert "autofocus>Este campo é obrigatório." in answer.content.decode()
