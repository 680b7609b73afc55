"""The dashboard's figures: those of the orders that its links lead to, to the cent."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from io import BytesIO
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from catalog.services import change_stock, create_product
from connectors.models import Act, Store
from connectors.payload import LOCAL
from connectors.records import OrderStatus
from connectors.services import pause
from orders.buyers import buyer_url
from orders.models import BuyerMail, Order
from orders.statistics import correct_tallies
from tests.conftest import Partner, make_partner, make_store
from tests.portal.pages.test_orders import orders_on, place, text_of

NOW = datetime(2026, 3, 31, 22, 30, tzinfo=LOCAL)  # in UTC it is April


@pytest.fixture
def orders(channel: Partner, store: Store) -> list[Order]:
    """Each status, some channels, amounts that do not add up roundly, the months' borders."""
    moments = [
        NOW, NOW.replace(hour=0, minute=0), NOW.replace(day=1, hour=0, minute=0),
        NOW.replace(day=1, hour=0, minute=0) - timedelta(seconds=1),
        datetime(2026, 2, 28, 23, 59, 59, tzinfo=LOCAL), datetime(2026, 2, 1, tzinfo=LOCAL),
        datetime(2026, 1, 31, 23, 59, 59, tzinfo=LOCAL),
    ]  # fmt: skip
    for number, status in enumerate([*OrderStatus, *OrderStatus]):
        place(
            channel,
            f"={number}",
            status=status.value,
            total=10.01 + number * 3.33,
            channel=("", "Mercado Livre", "A&B =1")[number % 3],
        )
    placed = list(Order.objects.order_by("pk"))
    for number, order in enumerate(placed):
        Order.objects.filter(pk=order.pk).update(created_at=moments[number % len(moments)])
    correct_tallies(store)
    return list(Order.objects.all())


def figures_on(html: str) -> list[tuple[str, Decimal]]:
    """Each link and the amount of money that stands for it, of cards and of tables."""
    shown = re.findall(r'<p class="big"><a href="([^"]+)">R\$ ([\d.,]+)</a>', html)
    shown += re.findall(r'<a href="([^"]+)">[^<]*</a>: R\$ ([\d.,]+)', html)
    shown += re.findall(r'<tr><th scope="row"><a href="([^"]+)">.*?R\$ ([\d.,]+)</td></tr>', html)
    return [(unescape(u), Decimal(m.replace(".", "").replace(",", "."))) for u, m in shown]


def test_every_figure_is_the_sum_of_the_orders_that_it_leads_to(
    page: Client, orders: list[Order]
) -> None:
    with patch("django.utils.timezone.now", return_value=NOW):
        shown = figures_on(page.get("/").content.decode())
        for url, amount in shown:
            answer = page.get(url)
            listed = sum(order.total for order in answer.context["orders"])

            assert (url, round(listed, 2)) == (url, amount)
            assert answer.context["shown"].orders == len(answer.context["orders"])

    assert len(shown) > 30 + len(OrderStatus)


def test_a_store_without_orders_sees_noughts(page: Client) -> None:
    text = text_of(page.get("/"))

    assert "R$ 0,00" in text
    assert "Ainda não há pedidos." in text


def test_for_figures_no_order_is_looked_at(page: Client, orders: list[Order]) -> None:
    with CaptureQueriesContext(connection) as queries:
        page.get("/")

    looking = [q["sql"] for q in queries if '"orders_order"' in q["sql"]]
    # When the latest changed, and the first of those that need the merchant.
    assert sorted("LIMIT 1)" in sql or "LIMIT 6" in sql for sql in looking) == [True, True]
    assert len(queries) <= 18


def test_the_dashboard_names_the_orders_that_need_the_merchant_and_leads_to_all(
    page: Client, channel: Partner, store: Store
) -> None:
    make_partner(store, "webstore")
    assert "Nenhum pedido precisa de você agora." in text_of(page.get("/"))
    for number in range(7):
        place(channel, f"100{number}", status="invoice_error")
    place(channel, "2001", status="canceled")

    shown = page.get("/")
    listed = page.get(shown.context["needing_url"])

    assert orders_on(shown, "Pedido ") == [f"100{number}" for number in (6, 5, 4, 3, 2)]
    assert "Ver todos os que precisam de você" in text_of(shown)
    assert text_of(shown).count("o canal recusou a nota fiscal") == 5
    assert orders_on(listed) == [f"100{number}" for number in reversed(range(7))]
    assert listed.context["shown"] is None


def test_the_dashboard_is_sent_again_when_something_changed(
    page: Client, channel: Partner, store: Store, merchant: User
) -> None:
    order = place(channel, "1001")

    def changed() -> int:
        version = page.get("/").context["version"]
        with CaptureQueriesContext(connection) as queries:
            assert page.get("/", headers={"X-Version": version}).status_code == 204
        assert len(queries) <= 8
        return version

    version = changed()
    channel.put(f"/orders/{order.public_id}", {"status": "invoiced"})
    assert page.get("/", headers={"X-Version": version}).status_code == 200
    version = changed()
    product = create_product(store, {"sku": "A", "quantity": 1}, None)
    assert page.get("/", headers={"X-Version": version}).status_code == 200
    version = changed()
    change_stock(store, product.pk, "update", 0, None)
    assert page.get("/", headers={"X-Version": version}).status_code == 200
    version = changed()
    pause(channel.activation.pk, "porque sim")
    assert page.get("/", headers={"X-Version": version}).status_code == 200


def test_another_stores_figures_are_not_shown(page: Client, merchant: User) -> None:
    foreign = make_store()
    place(make_partner(foreign, "pluga"), "1", total=777)

    assert "777" not in text_of(page.get("/", {"store": foreign.pk}))
    assert "777" not in text_of(page.get("/orders/", {"store": foreign.pk}))


def test_the_list_is_searched_and_filtered(page: Client, orders: list[Order]) -> None:
    found = page.get("/orders/", {"q": "ana souza", "channel": "-", "status": "sold"})

    assert {order.channel for order in found.context["orders"]} == {""}
    assert list(page.get("/orders/", {"q": "nobody"}).context["orders"]) == []


@pytest.mark.parametrize(
    "query", ["from=x&to=2026-99-99", "from=0001-01-01&to=9999-12-31", "integration=x&store=-1",
              "q=%00&channel=%00", "q=%F0%9F%98%80", "status=%27"]
)  # fmt: skip
def test_a_strange_question_is_no_error(query: str, page: Client, channel: Partner) -> None:
    place(channel, "1001")

    assert page.get(f"/orders/?{query}").status_code == 200


def test_a_page_that_is_still_true_is_not_sent_again(page: Client, channel: Partner) -> None:
    order = place(channel, "1001")
    for path in ("/orders/", f"/orders/{order.public_id}/"):
        version = page.get(path).context["version"]
        with CaptureQueriesContext(connection) as queries:
            same = page.get(path, headers={"X-Version": version})
        channel.put(f"/orders/{order.public_id}", {"payer_name": f"Outra {path[:9]}"})

        assert (same.status_code, len(queries) <= 4) == (204, True)
        # Else "back" finds this in the browser's store, and stays where it is.
        assert same.headers["Cache-Control"] == "no-store, private"
        assert page.get(path, headers={"X-Version": version}).status_code == 200


def test_an_export_holds_what_the_list_shows_and_no_formula(
    page: Client, orders: list[Order]
) -> None:
    csv = b"".join(page.get("/orders/export/csv/?status=sold").streaming_content).decode(
        "utf-8-sig"
    )
    book = load_workbook(
        BytesIO(b"".join(page.get("/orders/export/xlsx/?status=sold").streaming_content))
    )

    rows = list(book.active.iter_rows(values_only=True))
    assert len(rows) == len(csv.splitlines()) == 1 + 28
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
    assert all(line.startswith("'=") for line in csv.splitlines()[1:])


def test_an_exported_column_adds_up_to_the_dashboards_figure(
    page: Client, channel: Partner
) -> None:
    for number in range(3):
        place(channel, f"{number}", total=33.335)
    place(channel, "3", total=20)

    csv = b"".join(page.get("/orders/export/csv/").streaming_content).decode("utf-8-sig")
    book = load_workbook(BytesIO(b"".join(page.get("/orders/export/xlsx/").streaming_content)))

    header, *rows = (line.split(";") for line in csv.splitlines())
    place_of = header.index("Total")
    assert [row[place_of] for row in rows] == ["20,00", "33,335", "33,335", "33,335"]
    cells = [row[place_of] for row in book.active.iter_rows(min_row=2)]
    assert sum(Decimal(str(cell.value)) for cell in cells) == Decimal("120.005")
    assert {cell.number_format for cell in cells} == {"#,##0.00"}
    assert "R$ 120,01" in text_of(page.get("/"))


def test_orders_in_another_currency_are_said_beside_the_sums(
    page: Client, channel: Partner
) -> None:
    place(channel, "1", total=10)
    place(channel, "2", total=99, currency="USD")

    said = "R$ 10,00 (1 em outra moeda, fora da soma)"
    assert f"Este mês {said} Vendas: 2 · ticket médio R$ 10,00" in text_of(page.get("/"))
    assert f"Pedidos: 2 · {said}" in text_of(page.get("/orders/?status=sold"))

    csv = b"".join(page.get("/orders/export/csv/").streaming_content).decode("utf-8-sig")
    header, *rows = (line.split(";") for line in csv.splitlines())
    columns = [header.index(name) for name in ("Total", "Moeda")]
    assert [[row[at] for at in columns] for row in rows] == [["99,00", "USD"], ["10,00", "BRL"]]


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ("invoice_error", ["pending", "approved"]),
        ("partial_delivered", ["pending", "approved", "invoiced", "shipped"]),
        ("delivered", ["pending", "approved", "invoiced", "shipped", "delivered"]),
    ],
)
def test_a_buyer_is_not_told_that_a_step_is_done_before_it_is(
    page: Client, channel: Partner, status: str, done: list[str]
) -> None:
    order = place(channel, "1001", status=status)

    steps = page.get(urlsplit(buyer_url(order)).path).context["steps"]

    assert [step["status"] for step in steps if step["done"]] == done
    assert all(step["done"] for step in steps if step["at"])


def test_a_buyer_is_told_no_day_of_an_invoice_that_was_refused_afterwards(
    page: Client, channel: Partner
) -> None:
    order = place(channel, "1001", status="invoiced")
    channel.put(f"/orders/{order.public_id}", {"status": "invoice_error"})

    steps = page.get(urlsplit(buyer_url(order)).path).context["steps"]

    assert [step["status"] for step in steps if step["done"]] == ["pending", "approved"]
    assert all(step["done"] for step in steps if step["at"])


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("invoice_error", "Aprovado"),
        ("shipping_informed", "Envio informado pela loja"),
        ("shipping_error", "Faturado"),
        ("shipped", "Enviado"),
    ],
)
def test_a_buyer_is_told_how_far_his_order_came_and_not_what_its_store_has_to_mend(
    page: Client, channel: Partner, status: str, said: str
) -> None:
    order = place(channel, "1001", status=status)

    text = text_of(page.get(urlsplit(buyer_url(order)).path))

    assert f"Seu pedido 1001: {said} " in text
    assert "Erro" not in text


def test_the_buyers_link_says_little_and_can_be_revoked(page: Client, channel: Partner) -> None:
    order = place(channel, "1001", payer_cpf="52998224725", payer_email="ana@example.com")
    url = page.get(f"/orders/{order.public_id}/").context["buyer_url"]
    path = url.partition("//")[2].partition("/")[2]
    buyer = Client()

    seen = buyer.get(f"/{path}")
    page.post(f"/orders/{order.public_id}/", {"say": "revoke"})
    void, invented = buyer.get(f"/{path}"), buyer.get("/status/invented/")

    text = text_of(seen)
    assert "Olá, Ana!" in text
    assert "Caneca" in text
    assert not any(word in text for word in ("Souza", "52998224725", "ana@example.com"))
    assert seen["Cache-Control"] == "no-store, private"
    assert seen["Referrer-Policy"] == "no-referrer"
    assert "noindex" in seen["X-Robots-Tag"]
    assert (void.status_code, invented.status_code) == (404, 404)
    act = Act.objects.get()
    assert (act.by.username, act.store, act.what) == (
        "lojista", order.store, "Links do comprador revogados.",
    )  # fmt: skip
    assert "Links do comprador revogados.lojista" in text_of(
        page.get(f"/orders/{order.public_id}/")
    )


def test_the_mails_are_edited_by_the_store_alone(page: Client, channel: Partner) -> None:
    mine = f"/integrations/{channel.activation.pk}/mails/"
    other = make_partner(make_store(), "pluga").activation.pk
    good = {"email_shipped": "on", "email_shipped_text": "Oi {cliente}: {rastreio}"}

    bad = page.post(mine, good | {"email_shipped_text": "Oi {nome}"})
    saved = page.post(mine, good)

    channel.activation.refresh_from_db()
    assert "{nome} não existe." in text_of(bad)
    assert saved.status_code == 302
    assert channel.activation.settings["email_shipped"] is True
    assert channel.activation.settings["email_shipped_text"] == "Oi {cliente}: {rastreio}"
    act = Act.objects.get()
    assert (act.by.username, act.what) == ("lojista", "E-mails aos compradores alterados.")
    assert ["Oi {cliente}: {rastreio}" in each[1] for each in act.changes.values()].count(True) == 1
    assert page.get(f"/integrations/{other}/mails/").status_code == 404
    assert page.get("/integrations/999999/mails/").status_code == 404


def test_an_old_page_of_the_mails_writes_only_what_was_typed_into_it(
    page: Client, channel: Partner
) -> None:
    mine = f"/integrations/{channel.activation.pk}/mails/"
    form = page.get(mine).context["form"]
    was_shown = {form[name].html_initial_name: form[name].initial for name in form.fields}
    texts = {name: form[name].initial for name in form.fields if name.endswith("_text")}
    now = {"email_shipped": "on", "email_delivered_text": "Chegou, {cliente}!"}
    page.post(mine, {**was_shown, **texts, **now})

    page.post(mine, {**was_shown, **texts, "email_shipped_text": "Saiu, {cliente}!"})

    channel.activation.refresh_from_db()
    settings = channel.activation.settings
    assert 'name="initial-email_shipped_text"' in str(form["email_shipped_text"])
    assert (settings["email_shipped"], settings["email_shipped_text"]) == (True, "Saiu, {cliente}!")
    assert settings["email_delivered_text"] == "Chegou, {cliente}!"


def test_the_mails_that_were_written_are_listed_with_who_asked_for_them(
    page: Client, channel: Partner, merchant: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.pages.mails.PER_PAGE", 2)
    path = f"/integrations/{channel.activation.pk}/mails/"
    assert "Nenhum e-mail foi escrito ainda." in text_of(page.get(path))
    for number in range(3):
        order = place(channel, f"100{number}")
        BuyerMail.objects.create(
            order=order, activation=channel.activation, kind="shipped", state="unknown",
            address=f"ana{number}@example.com", subject="a", body="b",
        )  # fmt: skip
    mail = BuyerMail.objects.latest("pk")

    page.post(f"/orders/{mail.order.public_id}/", {"say": "mail", "mail": mail.pk})

    first = page.get(path)
    text = text_of(first)
    assert "ana2@example.com Aguardando envio lojista" in text
    assert "ana1@example.com Não se sabe se saiu ninguém: a situação do pedido mudou" in text
    assert "ana0@example.com" not in text
    assert "ana0@example.com" in text_of(page.get(path, {"before": first.context["older"]}))
    assert "Envio de novo pedido. lojista" in text_of(page.get(f"/orders/{mail.order.public_id}/"))


def test_every_order_of_the_store_fits_into_an_export(
    page: Client, channel: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.workbooks.MOST_ROWS", 4)
    for number in range(5):
        place(channel, f"100{number}")

    book = load_workbook(BytesIO(page.get("/orders/export/xlsx/").getvalue()))

    assert book.sheetnames == ["Pedidos", "Pedidos 2"]
    assert [sheet["A2"].value for sheet in book.worksheets] == ["1004", "1001"]
    assert book.worksheets[0]["C2"].is_date
    assert book.worksheets[0]["K2"].value == 1234.5


def test_days_are_written_as_each_language_writes_them(page: Client) -> None:
    with patch("django.utils.timezone.now", return_value=NOW):
        portuguese = page.get("/").context["days"][-1]
        page.post("/language/", {"language": "en"})
        english = page.get("/").context

    assert portuguese["label"] == "31/03"
    assert english["days"][-1]["label"] == "Mar 31"
    assert english["cards"][1]["before_label"] == "Feb 1 to Feb 28"
