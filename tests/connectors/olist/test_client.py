"""Against the sandbox's ERP, over real HTTP."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from connectors.contract import Account
from connectors.errors import OutOfBudget, Rejected, Unauthorized
from connectors.fiscal import nfe_key_is_valid
from connectors.olist import look
from connectors.olist.client import Olist
from connectors.olist.look import Look
from connectors.olist.mapping.orders import write_order
from connectors.payload import LOCAL
from connectors.records import OrderStatus, PriceRecord, StockRecord
from connectors.sandbox.server import Sandbox
from connectors.sandbox.tiny import Tiny
from tests.connectors.olist.conftest import (
    CREDENTIALS,
    HUB_ID,
    INTEGRATOR,
    TOKEN,
    last_cursor,
    make_order,
    records,
)

SHIRT = {
    "codigo": "CAM-01",
    "nome": "Camiseta",
    "preco": 59.9,
    "preco_promocional": 49.9,
    "variacoes": [
        {"codigo": "CAM-01-P", "preco": 59.9, "grade": {"Tamanho": "P"}, "saldo": 4},
        {
            "codigo": "CAM-01-G",
            "preco": 64.9,
            "preco_promocional": 54.9,
            "grade": {"Tamanho": "G"},
            "saldo": 7,
        },
    ],
}
MUG = {"codigo": "CAN-07", "nome": "Caneca", "preco": 110, "saldo": 3}


@pytest.fixture
def full_shelf(erp: Tiny) -> None:
    """Since long ago."""
    erp.control("put_product", SHIRT)
    erp.control("put_product", MUG)
    forget_updates(erp)


def forget_updates(erp: Tiny) -> None:
    erp.product_updates.clear()
    erp.stock_updates.clear()


@pytest.fixture
def sold(erp: Tiny, olist: Olist) -> str:
    """The ERP's id of an approved order that it has taken."""
    return olist.push_order(make_order())


def skus(olist: Olist, cursor: str) -> list[str]:
    return [record.sku for record in records(olist.changed_products(cursor), olist.read_product)]


def stock(olist: Olist, cursor: str) -> list[StockRecord]:
    return records(olist.changed_stock(cursor), olist.read_stock)


def prices(olist: Olist, cursor: str) -> list[PriceRecord]:
    """Each once: a page whose rows take time is asked for again."""
    return list(dict.fromkeys(records(olist.changed_prices(cursor), olist.read_price)))


def held(erp: Tiny) -> Any:
    return erp.report()["orders"][HUB_ID]


def a_day_before(cursor: str) -> str:
    look = json.loads(cursor)
    began = datetime.fromisoformat(look["began"]) - timedelta(days=1)
    return json.dumps({**look, "began": began.isoformat()})


def hours_ahead(cursor: str, ahead: timedelta) -> str:
    """As it would be had the portal's clock been so much ahead."""
    left = json.loads(cursor)
    moments = {n: datetime.fromisoformat(left[n]) + ahead for n in ("since", "began") if n in left}
    return json.dumps(left | {name: moment.isoformat() for name, moment in moments.items()})


# -- The account -----------------------------------------------------------------------------------
def test_the_right_token_passes_the_check(olist: Olist) -> None:
    olist.check()


def test_a_wrong_token_is_unauthorized_and_not_shown(sandbox: Sandbox, erp: Tiny) -> None:
    stranger = Olist(Account(f"{sandbox.url}/empresa/", {**CREDENTIALS, "token": "wrong-token"}))

    for attempt in (
        stranger.check,
        lambda: list(stranger.changed_products("")),
        lambda: stranger.push_order(make_order()),
        lambda: list(stranger.changed_fulfilments("")),
    ):
        with pytest.raises(Unauthorized, match=r"token invalido \(2\)") as caught:
            attempt()
        assert "wrong-token" not in f"{caught.value!r}"


# -- Products --------------------------------------------------------------------------------------
@pytest.mark.usefixtures("full_shelf")
def test_a_full_pass_reads_every_product_with_its_variations(olist: Olist) -> None:
    shirt, mug = records(olist.changed_products(""), olist.read_product)

    assert (shirt.sku, shirt.fields["price"], shirt.fields["special_price"]) == (
        "CAM-01",
        "59.9",
        "49.9",
    )
    assert [(each.sku, each.fields["price"]) for each in shirt.variations] == [
        ("CAM-01-P", "59.9"),
        ("CAM-01-G", "64.9"),
    ]
    assert (mug.sku, mug.variations) == ("CAN-07", ())


@pytest.mark.parametrize(("setting", "days"), [({}, 2), ({"preparation_days": False}, None)])
def test_preparation_days_are_sent_if_the_setting_is_on(
    sandbox: Sandbox, erp: Tiny, setting: dict[str, bool], days: int | None
) -> None:
    erp.control("put_product", {**MUG, "dias_preparacao": "2"})
    olist = Olist(Account(f"{sandbox.url}/empresa/", CREDENTIALS, setting))

    (mug,) = records(olist.changed_products(""), olist.read_product)[:1]

    assert mug.fields.get("handling_time") == days


@pytest.mark.parametrize(("images", "new_only"), [("always", set()), ("new", {"photos"})])
def test_images_are_sent_always_or_for_new_products_only(
    sandbox: Sandbox, erp: Tiny, images: str, new_only: set[str]
) -> None:
    photo = {"anexo": "https://s3.example.com/caneca.jpg"}
    erp.control("put_product", {**MUG, "anexos": [photo]})
    olist = Olist(Account(f"{sandbox.url}/empresa/", CREDENTIALS, {"images": images}))

    (mug,) = records(olist.changed_products(""), olist.read_product)[:1]

    assert mug.fields["photos"] == [{"url": photo["anexo"], "order": 1}]
    assert mug.new_only == new_only


@pytest.mark.usefixtures("full_shelf")
def test_afterwards_only_what_changed_is_read(erp: Tiny, olist: Olist) -> None:
    cursor = last_cursor(olist.changed_products(""))
    erp.control("put_product", {**MUG, "nome": "Caneca azul"})

    (mug,) = records(olist.changed_products(cursor), olist.read_product)

    assert (mug.sku, mug.fields["name"]) == ("CAN-07", "Caneca azul")


@pytest.mark.usefixtures("full_shelf")
def test_where_nothing_changed_nothing_is_read(olist: Olist) -> None:
    cursor = last_cursor(olist.changed_products(""))

    assert skus(olist, cursor) == []


@pytest.mark.usefixtures("full_shelf")
def test_a_day_later_everything_is_read_again(olist: Olist) -> None:
    cursor = last_cursor(olist.changed_products(""))

    assert skus(olist, a_day_before(cursor)) == ["CAM-01", "CAN-07"]


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(days=400)], ids=str)
@pytest.mark.usefixtures("full_shelf")
def test_after_the_clock_was_ahead_everything_is_read_again(
    erp: Tiny, olist: Olist, ahead: timedelta
) -> None:
    cursors = [
        hours_ahead(last_cursor(changed("")), ahead)
        for changed in (olist.changed_products, olist.changed_stock)
    ]
    forget_updates(erp)

    assert skus(olist, cursors[0]) == ["CAM-01", "CAN-07"]
    assert len(stock(olist, cursors[1])) == 3
    assert skus(olist, last_cursor(olist.changed_products(cursors[0]))) == []


@pytest.mark.usefixtures("full_shelf")
def test_a_pass_that_began_when_the_clock_was_ahead_begins_anew_with_all_that_waits(
    olist: Olist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "AT_ONCE", 1)
    pages = olist.changed_products("")
    cursor = next(page.cursor for page in pages if page.items)

    assert skus(olist, hours_ahead(cursor, timedelta(hours=5))) == ["CAN-07", "CAM-01", "CAN-07"]


def test_a_changed_variation_is_read_through_its_parent(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", SHIRT)
    cursor = last_cursor(olist.changed_products(""))
    child = next(id for id, each in erp.products.items() if each["codigo"] == "CAM-01-G")
    erp.product_updates[child] = datetime.now(LOCAL)

    assert skus(olist, cursor) == ["CAM-01"]


def test_all_pages_of_a_large_catalogue_are_read(erp: Tiny, olist: Olist) -> None:
    codes = [f"SKU-{number:03}" for number in range(205)]
    for code in codes:
        erp.control("put_product", {"codigo": code, "nome": code, "preco": 1, "saldo": 1})
    forget_updates(erp)

    assert skus(olist, "") == codes


def test_a_product_that_is_gone_is_a_failure_of_its_own(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", MUG)
    forget_updates(erp)
    now = datetime.now(LOCAL).isoformat()
    gone = {"id": "999", "tipoVariacao": "N"}
    cursor = Look(since=now, began=now, page=1, todo=(gone,)).cursor

    missing, mug = (each for page in olist.changed_products(cursor) for each in page.items)

    assert olist.read_product(mug).sku == "CAN-07"
    with pytest.raises(Rejected, match=r"produto.obter.php: Registro não localizado \(32\)"):
        olist.read_product(missing)


def test_what_could_not_be_read_is_asked_for_again_when_it_is_tried_again(
    erp: Tiny, olist: Olist
) -> None:
    erp.control("put_product", MUG)
    forget_updates(erp)
    ((mug_id, mug),) = erp.products.items()
    erp.products = {}
    now = datetime.now(LOCAL).isoformat()
    cursor = Look(since=now, began=now, todo=({"id": mug_id},)).cursor
    (parked,) = (each for page in olist.changed_products(cursor) for each in page.items)

    erp.products = {mug_id: mug}

    assert olist.read_product(parked).sku == "CAN-07"


def test_rows_that_move_up_while_a_page_is_read_are_not_missed(erp: Tiny, olist: Olist) -> None:
    codes = [f"SKU-{number:03}" for number in range(150)]
    for code in codes:
        erp.control("put_product", {"codigo": code, "nome": code, "preco": 1, "saldo": 1})
    forget_updates(erp)
    read = []

    for page in olist.changed_products(""):
        read += [olist.read_product(payload).sku for payload in page.items]
        if len(read) == 60:
            for code in codes[:30]:
                erp.control(
                    "put_product", {"codigo": code, "nome": code, "situacao": "I", "preco": 1}
                )
            forget_updates(erp)

    assert sorted(read) == codes


# -- Interruptions ---------------------------------------------------------------------------------
def test_a_pass_goes_on_where_it_was_interrupted(erp: Tiny, olist: Olist) -> None:
    codes = [f"SKU-{number:03}" for number in range(63)]
    for code in codes:
        erp.control("put_product", {"codigo": code, "nome": code, "preco": 1, "saldo": 1})
    forget_updates(erp)
    read: list[str] = []
    cursor = ""

    for _ in range(6):
        for page in olist.changed_products(cursor):
            read += [olist.read_product(payload).sku for payload in page.items]
            cursor = page.cursor
            if page.items:
                break  # the worker is killed

    assert read == codes
    assert "todo" not in json.loads(cursor)


def test_what_was_read_of_a_slow_erp_is_stored_meanwhile(
    erp: Tiny, olist: Olist, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        erp.control("put_product", {"codigo": f"P{number}", "nome": "x", "preco": 1})
    forget_updates(erp)
    monkeypatch.setattr(look, "PAGE_SECONDS", 0)

    sizes = [len(page.items) for page in olist.changed_products("") if page.items]

    assert sizes == [1, 1, 1]


def test_what_a_full_pass_still_has_to_read_is_never_more_than_a_page(
    erp: Tiny, olist: Olist
) -> None:
    for number in range(450):
        erp.control("put_product", {"codigo": f"P{number}", "nome": "x", "preco": 1, "saldo": 1})

    largest = max(len(page.cursor) for page in olist.changed_stock(""))

    assert largest < 60_000


def test_what_a_list_of_updates_answered_is_in_the_cursor_before_it_is_read(
    erp: Tiny, olist: Olist
) -> None:
    erp.control("put_product", MUG)
    cursor = last_cursor(olist.changed_products(""))
    erp.control("put_product", {**MUG, "nome": "Caneca azul"})

    run = iter(olist.changed_products(cursor))
    next(run)  # it is about to ask
    cursor = next(run).cursor
    del run  # the worker is killed; the list has forgotten the mug

    assert erp.product_updates == {}
    (mug,) = records(olist.changed_products(cursor), olist.read_product)
    assert mug.fields["name"] == "Caneca azul"


def test_each_answer_of_a_list_of_updates_is_stored_before_the_next_is_asked_for(
    erp: Tiny, olist: Olist
) -> None:
    cursor = last_cursor(olist.changed_stock(""))
    for number in range(150):
        erp.control("put_product", {"codigo": f"P{number}", "nome": "x", "preco": 1, "saldo": 1})

    _asking, first = islice(olist.changed_stock(cursor), 2)

    assert len(json.loads(first.cursor)["taken"]) == 100
    assert len(erp.stock_updates) == 50


def test_after_an_answer_that_did_not_arrive_everything_is_read(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", MUG)
    cursor = last_cursor(olist.changed_stock(""))
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})

    asking = next(iter(olist.changed_stock(cursor)))  # the worker is killed while the ERP answers
    forget_updates(erp)

    assert stock(olist, cursor) == []
    assert stock(olist, asking.cursor) == [StockRecord("CAN-07", 1)]
    assert stock(olist, last_cursor(olist.changed_stock(asking.cursor))) == []


def test_a_pass_that_goes_on_is_followed_by_another_after_a_lost_answer(
    erp: Tiny, olist: Olist
) -> None:
    erp.control("put_product", SHIRT)
    erp.control("put_product", MUG)
    forget_updates(erp)
    now = datetime.now(LOCAL).isoformat()
    asking = Look(since=now, began=now, page=1, asked=True).cursor

    (first, *_rest), again = stock(olist, asking), last_cursor(olist.changed_stock(asking))

    assert json.loads(again)["lost"]
    assert first in stock(olist, again)
    assert "lost" not in json.loads(last_cursor(olist.changed_stock(again)))


def test_nothing_was_lost_where_the_account_had_no_calls_left(
    olist: Olist, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_after: datetime) -> list[look.Row]:
        raise OutOfBudget("not now")

    monkeypatch.setattr(olist, "_updates", lambda _which: refuse)
    pages = []

    with pytest.raises(OutOfBudget):
        pages.extend(olist.changed_stock(Look(began=datetime.now(LOCAL).isoformat()).cursor))

    assert "asked" not in json.loads(pages[-1].cursor)


@pytest.mark.usefixtures("sold")
def test_an_order_that_is_listed_again_before_it_was_read_is_read_once(olist: Olist) -> None:
    cursor = next(iter(olist.changed_fulfilments(""))).cursor

    found = records(olist.changed_fulfilments(cursor), olist.read_fulfilment)

    assert [each.hub_id for each in found] == [HUB_ID]


def test_newer_stock_is_read_after_older_that_was_not_read(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", MUG)
    cursor = last_cursor(olist.changed_stock(""))
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 2})
    _asking, taken = islice(olist.changed_stock(cursor), 2)
    cursor = taken.cursor
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 1})

    assert stock(olist, cursor) == [StockRecord("CAN-07", 2), StockRecord("CAN-07", 1)]


# -- Prices ----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("full_shelf")
def test_prices_are_those_of_products_and_variations(olist: Olist) -> None:
    assert prices(olist, "") == [
        PriceRecord("CAM-01", Decimal("59.9"), Decimal("49.9")),
        PriceRecord("CAN-07", Decimal(110), None),
        PriceRecord("CAM-01-P", Decimal("59.9"), None),
        PriceRecord("CAM-01-G", Decimal("64.9"), Decimal("54.9")),
    ]


@pytest.mark.usefixtures("full_shelf")
def test_variations_are_asked_for_prices_once_a_day(erp: Tiny, olist: Olist) -> None:
    cursor = last_cursor(olist.changed_prices(""))
    erp.control("set_price", {"codigo": "CAN-07", "preco": 99, "preco_promocional": 89.5})

    today = prices(olist, cursor)
    since = datetime.now(LOCAL) - timedelta(days=1)
    tomorrow = prices(olist, Look(since=since.isoformat()).cursor)

    assert today == [
        PriceRecord("CAM-01", Decimal("59.9"), Decimal("49.9")),
        PriceRecord("CAN-07", Decimal(99), Decimal("89.5")),
    ]
    assert [each.sku for each in tomorrow] == ["CAM-01", "CAN-07", "CAM-01-P", "CAM-01-G"]


@pytest.mark.usefixtures("full_shelf")
def test_looking_for_prices_takes_nothing_from_the_list_of_changed_products(
    erp: Tiny, olist: Olist
) -> None:
    erp.control("set_price", {"codigo": "CAN-07", "preco": 99})

    list(olist.changed_prices(""))

    assert len(erp.product_updates) == 1


# -- Stock -----------------------------------------------------------------------------------------
def test_a_full_pass_reads_the_stock_of_products_and_variations(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", SHIRT)
    erp.control("put_product", MUG)
    erp.stock_updates.clear()

    assert sorted(stock(olist, ""), key=lambda each: each.sku) == [
        StockRecord("CAM-01-G", 7),
        StockRecord("CAM-01-P", 4),
        StockRecord("CAN-07", 3),
    ]


@pytest.mark.usefixtures("full_shelf")
def test_changed_stock_counts_neither_reserved_units_nor_ignored_deposits(
    erp: Tiny, olist: Olist
) -> None:
    cursor = last_cursor(olist.changed_stock(""))
    deposits = [
        {"nome": "Geral", "desconsiderar": "N", "saldo": 10, "empresa": "Exemplo"},
        {"nome": "Avarias", "desconsiderar": "S", "saldo": 5, "empresa": "Exemplo"},
    ]
    levels = {"saldo": 15, "saldoReservado": 2, "depositos": deposits}
    erp.control("set_stock", {"codigo": "CAM-01-P", **levels})

    assert stock(olist, cursor) == [StockRecord("CAM-01-P", 8)]


def test_what_changed_of_a_product_with_variations_is_their_stock(erp: Tiny, olist: Olist) -> None:
    erp.control("put_product", SHIRT)
    cursor = last_cursor(olist.changed_stock(""))
    erp.control("set_stock", {"codigo": "CAM-01", "saldo": 11})

    changed = sorted(stock(olist, cursor), key=lambda each: each.sku)
    assert changed == [StockRecord("CAM-01-G", 7), StockRecord("CAM-01-P", 4)]


# -- Orders ----------------------------------------------------------------------------------------
def test_an_order_arrives_with_everything(erp: Tiny, olist: Olist) -> None:
    external_id = olist.push_order(make_order())

    order = held(erp)
    assert order["id"] == external_id
    assert order["situacao"] == "aprovado"
    assert order["document"] == write_order(make_order(), INTEGRATOR)["pedido"]


def test_an_order_is_created_once_however_often_it_is_pushed(erp: Tiny, olist: Olist) -> None:
    first = olist.push_order(make_order())
    second = olist.push_order(make_order())
    third = olist.push_order(make_order(external_id=first))

    assert first == second == third
    assert held(erp)["created"] == 1
    assert held(erp)["situacoes"] == ["aprovado"]


def test_an_order_whose_answer_was_lost_is_found(
    erp: Tiny, olist: Olist, ask: Callable[..., Any]
) -> None:
    written = json.dumps(write_order(make_order(), INTEGRATOR))
    created = ask("pedido.incluir.php", pedido=written)["registros"]["registro"]

    assert olist.push_order(make_order()) == created["id"]
    assert held(erp)["created"] == 1


def test_an_order_with_a_similar_number_is_another_one(erp: Tiny, olist: Olist) -> None:
    olist.push_order(make_order(hub_id=f"{HUB_ID}-2"))

    olist.push_order(make_order())

    assert {number: each["created"] for number, each in erp.report()["orders"].items()} == {
        HUB_ID: 1,
        f"{HUB_ID}-2": 1,
    }


def test_a_pending_order_is_approved(erp: Tiny, olist: Olist) -> None:
    external_id = olist.push_order(make_order(status=OrderStatus.PENDING))

    olist.push_order(make_order(external_id=external_id))

    assert held(erp)["situacoes"] == ["aberto", "aprovado"]


def test_an_order_is_cancelled_once(erp: Tiny, olist: Olist, sold: str) -> None:
    cancelled = make_order(status=OrderStatus.CANCELED, external_id=sold)

    olist.push_order(cancelled)
    olist.push_order(cancelled)

    assert held(erp)["situacoes"] == ["aprovado", "cancelado"]


@pytest.mark.parametrize("end", [OrderStatus.CANCELED, OrderStatus.REFUNDED])
def test_nothing_is_made_of_an_order_that_ended_before_the_erp_had_it(
    erp: Tiny, olist: Olist, end: OrderStatus
) -> None:
    assert olist.push_order(make_order(status=end, lines=(), payments=())) == ""
    assert erp.orders == {}


def test_an_order_whose_answer_was_lost_is_cancelled(erp: Tiny, olist: Olist, sold: str) -> None:
    assert olist.push_order(make_order(status=OrderStatus.CANCELED)) == sold
    assert held(erp)["situacoes"] == ["aprovado", "cancelado"]


@pytest.mark.usefixtures("sold")
def test_an_approval_that_is_repeated_does_not_move_an_order_backwards(
    erp: Tiny, olist: Olist
) -> None:
    erp.work()

    olist.push_order(make_order())

    assert held(erp)["situacoes"] == ["aprovado", "faturado"]


def test_an_order_that_the_erp_refuses_is_rejected_in_its_words(olist: Olist) -> None:
    with pytest.raises(Rejected, match=r"O pedido deve ter ao menos um item \(31\)"):
        olist.push_order(make_order(lines=(), payments=()))


def test_names_longer_than_the_erp_takes_are_no_obstacle(erp: Tiny, olist: Olist) -> None:
    long = "José Ãç & Filhos " * 20
    fields = {
        f"{who}_{name}": long
        for who in ("payer", "receiver")
        for name in ("name", "email", "address", "neighborhood", "phone")
    }

    olist.push_order(make_order(fields=fields, original_id="1" * 200))

    assert held(erp)["document"]["cliente"]["nome"] == "José Ãç & Filhos José Ãç & Fil"


# -- What became of them ---------------------------------------------------------------------------
def test_invoice_and_tracking_come_back(erp: Tiny, olist: Olist, sold: str) -> None:
    seen = []
    for _ in range(3):
        erp.work()
        (record,) = records(olist.changed_fulfilments(""), olist.read_fulfilment)
        seen.append(record)

    invoiced, sent, delivered = seen
    assert [each.status for each in seen] == [
        OrderStatus.INVOICED,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
    ]
    assert {(each.hub_id, each.external_id) for each in seen} == {(HUB_ID, sold)}
    note = held(erp)["invoice"]
    assert invoiced.tracking is None
    assert delivered.invoice == sent.invoice == invoiced.invoice
    assert (invoiced.invoice.key, invoiced.invoice.number, invoiced.invoice.series) == (
        note["chave_acesso"],
        "000001",
        "1",
    )
    assert nfe_key_is_valid(invoiced.invoice.key)
    assert invoiced.invoice.link == f"https://danfe.example.com/{note['id']}"
    assert f"{invoiced.invoice.issued_at.astimezone(LOCAL):%d/%m/%Y}" == note["data_emissao"]
    shipping = held(erp)["shipping"]
    assert (sent.tracking.company, sent.tracking.code, sent.tracking.url) == (
        "Transportadora Exemplo",
        shipping["codigo_rastreamento"],
        shipping["url_rastreamento"],
    )
    assert sent.tracking.shipped_at is not None
    assert sent.tracking.delivered_at is None
    assert delivered.tracking.delivered_at is not None


def test_a_cancelled_order_gets_nothing_more(erp: Tiny, olist: Olist, sold: str) -> None:
    olist.push_order(make_order(status=OrderStatus.CANCELED, external_id=sold))
    erp.work()

    (record,) = records(olist.changed_fulfilments(""), olist.read_fulfilment)

    assert (record.status, record.invoice, record.tracking) == (OrderStatus.CANCELED, None, None)


def test_an_invoice_that_is_not_authorised_is_not_reported(
    erp: Tiny, olist: Olist, sold: str
) -> None:
    erp.work()
    note = erp.orders[sold].invoice
    assert note is not None
    note["situacao"] = "5"

    (record,) = records(olist.changed_fulfilments(""), olist.read_fulfilment)

    assert (record.status, record.invoice) == (OrderStatus.PICKING, None)


def test_an_invoice_that_is_authorised_later_is_reported_though_its_order_did_not_change(
    erp: Tiny, olist: Olist, sold: str
) -> None:
    erp.work()
    order = erp.orders[sold]
    assert order.invoice is not None
    order.invoice["situacao"] = "1"
    cursor = last_cursor(olist.changed_fulfilments(""))
    order.changed_at -= timedelta(hours=1)
    again = last_cursor(olist.changed_fulfilments(cursor))

    order.invoice["situacao"] = "6"
    (record,) = records(olist.changed_fulfilments(again), olist.read_fulfilment)

    assert record.status == OrderStatus.INVOICED
    last = last_cursor(olist.changed_fulfilments(again))
    assert records(olist.changed_fulfilments(last), olist.read_fulfilment) == []


def test_an_invoice_is_waited_for_also_where_its_order_was_refused_at_first(
    erp: Tiny, olist: Olist, sold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp.work()
    order = erp.orders[sold]
    assert order.invoice is not None
    order.invoice["situacao"] = "1"

    def refuse(*_args: Any) -> Any:
        raise Rejected("not now")

    with monkeypatch.context() as patch:
        patch.setattr(olist.reader, "open", refuse)
        [late] = [each for page in olist.changed_fulfilments("") for each in page.items]
    with pytest.raises(Rejected, match="ainda não está completo"):
        olist.read_fulfilment(late)
    order.invoice["situacao"] = "6"

    assert olist.read_fulfilment(late).status == OrderStatus.INVOICED


@pytest.mark.parametrize("situation", ["3", "10"])
def test_an_invoice_that_will_never_be_authorised_is_not_waited_for(
    erp: Tiny, olist: Olist, sold: str, situation: str
) -> None:
    erp.work()
    order = erp.orders[sold]
    assert order.invoice is not None
    order.invoice["situacao"] = situation

    assert "later" not in json.loads(last_cursor(olist.changed_fulfilments("")))


def test_an_invoice_is_waited_for_a_month(erp: Tiny, olist: Olist, sold: str) -> None:
    erp.work()
    order = erp.orders[sold]
    assert order.invoice is not None
    order.invoice["situacao"] = "5"
    order.changed_at -= timedelta(hours=1)
    now = datetime.now(LOCAL)
    row = {"id": sold, "until": (now - timedelta(seconds=1)).isoformat()}
    cursor = Look(since=now.isoformat(), later=(row,)).cursor

    assert "later" not in json.loads(last_cursor(olist.changed_fulfilments(cursor)))


def test_orders_of_others_in_the_same_account_are_not_read(erp: Tiny, olist: Olist) -> None:
    for number in ("", "2000009876543210", "#1043"):
        olist.push_order(make_order(hub_id=number or "blank"))

    assert records(olist.changed_fulfilments(""), olist.read_fulfilment) == []


def test_orders_that_have_not_changed_for_long_are_not_read_again(
    erp: Tiny, olist: Olist, sold: str
) -> None:
    cursor = last_cursor(olist.changed_fulfilments(""))
    erp.orders[sold].changed_at -= timedelta(hours=1)

    assert records(olist.changed_fulfilments(cursor), olist.read_fulfilment) == []
    erp.work()
    (record,) = records(olist.changed_fulfilments(cursor), olist.read_fulfilment)
    assert record.status == OrderStatus.INVOICED


def test_orders_that_changed_while_the_clock_was_ahead_are_read(
    erp: Tiny, olist: Olist, sold: str
) -> None:
    cursor = hours_ahead(last_cursor(olist.changed_fulfilments("")), timedelta(hours=5))
    erp.work()
    erp.orders[sold].changed_at -= timedelta(hours=1)

    (record,) = records(olist.changed_fulfilments(cursor), olist.read_fulfilment)

    assert record.status == OrderStatus.INVOICED


def test_more_orders_than_a_page_holds_are_all_read(erp: Tiny, olist: Olist) -> None:
    numbers = [f"{number:024x}" for number in range(103)]
    for number in numbers:
        olist.push_order(make_order(hub_id=number))

    found = records(olist.changed_fulfilments(""), olist.read_fulfilment)

    assert sorted(record.hub_id for record in found) == numbers


def test_the_token_is_not_in_a_clients_repr(olist: Olist) -> None:
    assert TOKEN not in f"{olist!r} {olist.account!r} {olist.api!r}"
