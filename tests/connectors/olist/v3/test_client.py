"""Against the sandbox's ERP, over real HTTP."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import (
    Account,
    Changed,
    FulfilmentSource,
    OrderState,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.errors import OutOfBudget, Rejected, Several, Unavailable
from connectors.olist.look import NOT_READ
from connectors.olist.v3.client import OlistV3
from connectors.payload import LOCAL, Payload
from connectors.records import LineRecord, OrderRecord, OrderStatus, PriceRecord, StockRecord
from connectors.sandbox.faults import Faults
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.tiny_v3 import TinyV3
from tests.connectors.olist.conftest import HUB_ID, last_cursor, make_order, records
from tests.connectors.olist.v3.conftest import CREDENTIALS, MUG, calls_of, held

LINES = (
    LineRecord("CAM-01-P", 2, Decimal("59.9000"), {"name": "Camiseta azul P"}),
    LineRecord("CAN-07", 1, Decimal("110"), {"name": None}),
)


def order(**changes: Any) -> OrderRecord:
    made = make_order(lines=LINES)
    without = {n: v for n, v in made.fields.items() if n != "sale_intermediary"}
    return replace(made, fields=without, **changes)


@pytest.fixture
def sold(full_shelf: None, olist: OlistV3) -> str:
    return olist.push_order(order())


# -- Catalogue ------------------------------------------------------------------------------------
def test_at_first_all_active_products_then_what_changed(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    pages = list(olist.changed_products(""))
    first = [record.sku for record in records(pages, olist.read_product)]
    old = erp.changed_at[next(iter(erp.products))].replace(year=2020)
    erp.changed_at = dict.fromkeys(erp.changed_at, old)
    erp.control("put_product", {**MUG, "situacao": "I"})

    second = records(olist.changed_products(pages[-1].cursor), olist.read_product)

    assert first == ["CAM-01", "CAN-07"]
    assert [(each.sku, each.fields["available"]) for each in second] == [("CAN-07", 0)]


def test_a_catalogue_of_several_pages_is_read_whole(erp: TinyV3, olist: OlistV3) -> None:
    for number in range(205):
        erp.control("put_product", {"sku": f"P{number}", "descricao": "x", "preco": 1})

    found = records(olist.changed_prices(""), olist.read_price)

    assert {each.sku for each in found} == {f"P{number}" for number in range(205)}


def test_prices_of_variations_come_through_their_parent(olist: OlistV3, full_shelf: None) -> None:
    found = {each.sku: each.price for each in records(olist.changed_prices(""), olist.read_price)}

    assert found["CAM-01-G"] == Decimal("64.9")
    assert set(found) == {"CAM-01", "CAM-01-P", "CAM-01-G", "CAN-07"}


def test_stock_is_read_product_by_product_at_each_look(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    cursor = last_cursor(olist.changed_stock(""))
    erp.control("set_stock", {"sku": "CAN-07", "saldo": 9})

    found = records(olist.changed_stock(cursor), olist.read_stock)

    assert set(found) == {
        StockRecord("CAM-01-P", 4),
        StockRecord("CAM-01-G", 7),
        StockRecord("CAN-07", 8),  # one is reserved
    }


@pytest.mark.parametrize(
    ("pages", "read", "wanted"),
    [
        (
            OlistV3.changed_prices,
            OlistV3.read_price,
            [PriceRecord("CAM-01-P", Decimal("59.9")), PriceRecord("CAM-01-G", Decimal("64.9"))],
        ),
        (
            OlistV3.changed_stock,
            OlistV3.read_stock,
            [StockRecord("CAM-01-P", 4), StockRecord("CAM-01-G", 7)],
        ),
    ],
)
def test_a_row_that_is_read_late_stands_for_all_of_its_variations(
    olist: OlistV3,
    full_shelf: None,
    monkeypatch: pytest.MonkeyPatch,
    pages: Any,
    read: Any,
    wanted: Any,
) -> None:
    get = olist.api.get

    def refuse(path: str, **query: Any) -> Payload:
        if path.startswith("produtos/"):
            raise Rejected("not now")
        return get(path, **query)

    with monkeypatch.context() as refusing:
        refusing.setattr(olist.api, "get", refuse)
        found = [each for page in pages(olist, "") for each in page.items]
    [late] = [each for each in found if NOT_READ in each.data]

    with pytest.raises(Several) as caught:
        read(olist, late)

    assert [read(olist, Payload(part)) for part in caught.value.parts] == wanted


def test_a_look_that_ran_out_of_calls_goes_on_where_it_was(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    olist.check()
    pages = olist.changed_stock("")
    kept = next(iter(pages))
    erp.limits["GET"] = 0
    with pytest.raises(OutOfBudget):
        list(pages)
    erp.limits["GET"] = 600

    found = records(olist.changed_stock(kept.cursor), olist.read_stock)

    assert {each.sku for each in found} == {"CAM-01-P", "CAM-01-G", "CAN-07"}


# -- Orders ---------------------------------------------------------------------------------------
def test_an_order_is_created_by_ids_with_the_integrator(erp: TinyV3, sold: str) -> None:
    written = held(erp, HUB_ID)

    assert str(written["id"]) == sold
    assert written["situacao"] == 3
    assert written["ecommerce"] == {"id": 10482, "numeroPedidoEcommerce": HUB_ID}
    assert [erp.products[each["produto"]["id"]]["sku"] for each in written["itens"]] == [
        "CAM-01-P",
        "CAN-07",
    ]
    assert written["itens"][0]["valorUnitario"] == 59.9
    contact = erp.contacts[written["idContato"]]
    assert contact["tipoPessoa"] in ("F", "J")
    assert contact["endereco"]["municipio"]
    assert written["enderecoEntrega"]["municipio"]
    assert len(written["data"]) == 10


def test_what_the_erps_loose_search_also_finds_is_not_taken_for_it(
    erp: TinyV3, olist: OlistV3
) -> None:
    erp.control("put_product", {**MUG, "sku": "CAN-07-X"})
    erp.control("put_product", MUG)
    erp.control("put_intermediary", {"cnpj": "03.007.331/0001-41-0", "nome": "Outro"})
    erp.control("put_intermediary", {"cnpj": "03.007.331/0001-41", "nome": "Canal"})
    made = order(lines=LINES[1:])
    fields = {**made.fields, "sale_intermediary": "03007331000141"}
    document = "12345678000195"
    erp.contacts[1] = {"id": 1, "cpfCnpj": f"{document}0"}

    olist.push_order(replace(made, fields={**fields, "payer_cnpj": document}))

    written = held(erp, HUB_ID)
    (item,) = written["itens"]
    assert erp.products[item["produto"]["id"]]["sku"] == "CAN-07"
    assert erp.intermediaries[written["intermediador"]["id"]]["nome"] == "Canal"
    assert erp.contacts[written["idContato"]]["cpfCnpj"] == document


def test_the_buyer_is_made_once(erp: TinyV3, olist: OlistV3, sold: str) -> None:
    olist.push_order(order(hub_id="692f10c4a9d1e3b7c5f20812"))

    assert len(erp.contacts) == 1
    assert len(erp.orders) == 2


def test_pushed_twice_the_order_is_there_once(erp: TinyV3, olist: OlistV3, sold: str) -> None:
    assert olist.push_order(order()) == sold
    assert len(erp.orders) == 1


def test_an_order_that_the_search_does_not_show_yet_is_found_by_its_refusal(
    erp: TinyV3, olist: OlistV3, sold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = olist._numbered
    answers = iter([lambda hub_id: None, search])
    monkeypatch.setattr(olist, "_numbered", lambda hub_id: next(answers)(hub_id))

    assert olist.push_order(order()) == sold
    assert len(erp.orders) == 1


def test_a_pending_order_is_approved_and_cancelled(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    number = olist.push_order(order(status=OrderStatus.PENDING))
    olist.push_order(order(external_id=number))
    olist.push_order(order(external_id=number, status=OrderStatus.CANCELED))
    olist.push_order(order(external_id=number, status=OrderStatus.CANCELED))

    assert held(erp, HUB_ID)["situacoes"] == [0, 3, 2]


@pytest.mark.parametrize("end", [OrderStatus.CANCELED, OrderStatus.REFUNDED])
def test_nothing_is_made_of_an_order_that_ended_before_the_erp_had_it(
    erp: TinyV3, olist: OlistV3, end: OrderStatus
) -> None:
    assert olist.push_order(order(status=end)) == ""
    assert (erp.orders, erp.contacts) == ({}, {})


def test_an_order_whose_answer_was_lost_is_cancelled(
    erp: TinyV3, olist: OlistV3, sold: str
) -> None:
    assert olist.push_order(order(status=OrderStatus.CANCELED)) == sold
    assert held(erp, HUB_ID)["situacoes"] == [3, 2]


def test_the_intermediary_must_be_registered_there(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    cnpj = "03007331000141"
    made = order()
    named = replace(made, fields={**made.fields, "sale_intermediary": cnpj})
    with pytest.raises(Rejected, match=f"intermediador de CNPJ {cnpj}"):
        olist.push_order(named)
    erp.control("put_intermediary", {"cnpj": "03.007.331/0001-41", "nome": "Canal"})

    olist.push_order(named)

    assert held(erp, HUB_ID)["intermediador"]["id"] in erp.intermediaries


def test_the_order_costs_there_what_its_buyer_pays(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    made = order()
    fields = {**made.fields, "sale_intermediary": None, "tax": "10"}

    olist.push_order(replace(made, fields=fields, total=made.total + 10))

    there = held(erp, HUB_ID)
    sums = [there[name] for name in ("valorFrete", "valorOutrasDespesas", "valorDesconto")]
    assert sums == [25.05, 10, 15]


def test_a_sku_that_many_others_contain_is_found(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    mug = next(each for each in erp.products.values() if each["sku"] == "CAN-07")
    others = {n: {**mug, "id": n, "sku": f"CAN-07-{n}"} for n in range(1, 102)}
    erp.products = {**others, **erp.products}

    olist.push_order(order())

    assert held(erp, HUB_ID)["itens"][1]["produto"] == {"id": mug["id"]}


def test_of_two_products_with_one_sku_the_one_that_was_deleted_is_not_sold(
    erp: TinyV3, olist: OlistV3, full_shelf: None
) -> None:
    mug = next(each for each in erp.products.values() if each["sku"] == "CAN-07")
    erp.products = {1: {**mug, "id": 1, "situacao": "E"}, **erp.products}

    olist.push_order(order())

    assert held(erp, HUB_ID)["itens"][1]["produto"] == {"id": mug["id"]}


def test_an_unknown_sku_is_named(olist: OlistV3, erp: TinyV3) -> None:
    with pytest.raises(Rejected, match="CAM-01-P"):
        olist.push_order(order())

    assert erp.orders == {}


def test_without_an_integrator_no_order_is_sent(account: Account, full_shelf: None) -> None:
    other = OlistV3(replace(account, credentials={**CREDENTIALS, "integrator_id": "0"}))

    with pytest.raises(Rejected, match="identificador do integrador"):
        other.push_order(order())


def test_without_the_buyers_document_no_order_is_sent(olist: OlistV3, full_shelf: None) -> None:
    documents = ("payer_cnpj", "payer_cpf", "payer_tax_id", "receiver_cpf")
    fields = {name: value for name, value in order().fields.items() if name not in documents}

    with pytest.raises(Rejected, match="CPF nem CNPJ"):
        olist.push_order(replace(order(), fields=fields))


def test_lost_answers_create_no_second_order(erp: TinyV3, olist: OlistV3, full_shelf: None) -> None:
    olist.check()
    erp.faults = Faults({"lost_answer": 0.3, "502_after": 0.2}, seed=4)
    number = ""
    for _attempt in range(60):
        with suppress(Unavailable):
            number = olist.push_order(order())
            break

    assert [str(each) for each in erp.orders] == [number]


# -- What became of them --------------------------------------------------------------------------
def test_invoice_and_tracking_are_reported(erp: TinyV3, olist: OlistV3, sold: str) -> None:
    seen, cursor = [], ""
    for _step in range(3):
        erp.work()
        pages = list(olist.changed_fulfilments(cursor))
        cursor = pages[-1].cursor
        seen += records(pages, olist.read_fulfilment)

    assert [each.status for each in seen] == [
        OrderStatus.INVOICED,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
    ]
    last = seen[-1]
    [note] = erp.notes.values()
    assert (last.hub_id, last.external_id) == (HUB_ID, sold)
    assert last.invoice.key == note["chaveAcesso"]
    assert last.invoice.link == f"https://danfe.example.com/{note['id']}"
    assert last.tracking.code == held(erp, HUB_ID)["transportador"]["codigoRastreamento"]
    assert last.tracking.delivered_at


def test_an_invoice_is_reported_only_when_it_is_authorised(
    erp: TinyV3, olist: OlistV3, sold: str
) -> None:
    erp.credentials["hold_invoices"] = "1"
    erp.work()
    pages = list(olist.changed_fulfilments(""))
    [before] = records(pages, olist.read_fulfilment)
    erp.control("authorise_invoices", {})

    [after] = records(olist.changed_fulfilments(pages[-1].cursor), olist.read_fulfilment)

    assert (before.status, before.invoice) == (OrderStatus.PICKING, None)
    assert after.status == OrderStatus.INVOICED
    assert after.invoice.key


def test_an_invoice_whose_link_is_not_there_yet_is_looked_at_again(
    erp: TinyV3, olist: OlistV3, sold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = erp._serve

    def without_link(request: Request) -> Response:
        answer = serve(request)
        return Response({"link": ""}) if request.path[-1] == "link" else answer

    erp.work()
    monkeypatch.setattr(erp, "_serve", without_link)
    pages = list(olist.changed_fulfilments(""))
    [before] = records(pages, olist.read_fulfilment)
    monkeypatch.undo()

    [after] = records(olist.changed_fulfilments(pages[-1].cursor), olist.read_fulfilment)

    assert (before.status, before.invoice) == (OrderStatus.PICKING, None)
    assert after.status == OrderStatus.INVOICED
    assert after.invoice.link


@pytest.mark.parametrize("opened", [False, True])
def test_an_answer_without_what_was_asked_for_is_no_news(
    erp: TinyV3, olist: OlistV3, sold: str, monkeypatch: pytest.MonkeyPatch, opened: bool
) -> None:
    serve, muted = erp._serve, ("pedidos", sold) if opened else ("pedidos",)
    cursors = [""]

    def mute(request: Request) -> Response:
        paging = {"paginacao": {"limit": 100, "offset": 0, "total": 1}}
        return Response(paging) if request.path == muted else serve(request)

    erp.work()
    with monkeypatch.context() as muting:
        muting.setattr(erp, "_serve", mute)
        with pytest.raises(Unavailable):
            cursors.extend(page.cursor for page in olist.changed_fulfilments(""))

    [found] = records(olist.changed_fulfilments(cursors[-1]), olist.read_fulfilment)

    assert found.status == OrderStatus.INVOICED


@pytest.mark.parametrize("pages", [OlistV3.changed_stock, OlistV3.changed_prices])
def test_a_product_that_is_not_in_the_answer_is_not_one_without_variations(
    erp: TinyV3,
    olist: OlistV3,
    full_shelf: None,
    monkeypatch: pytest.MonkeyPatch,
    pages: Any,
) -> None:
    shirt = next(str(each["id"]) for each in erp.products.values() if each["sku"] == "CAM-01")
    serve = erp._serve

    def mute(request: Request) -> Response:
        return Response({}) if request.path == ("produtos", shirt) else serve(request)

    monkeypatch.setattr(erp, "_serve", mute)

    with pytest.raises(Unavailable, match=f"asked for {shirt}"):
        list(pages(olist, ""))


def test_an_order_that_looks_as_before_is_not_opened_again(
    erp: TinyV3, olist: OlistV3, sold: str
) -> None:
    cursor = last_cursor(olist.changed_fulfilments(""))
    calls_of(erp)

    list(olist.changed_fulfilments(cursor))

    assert calls_of(erp) == [("GET", "pedidos")]


def test_what_changed_on_a_day_is_opened_once_more_on_the_next(
    erp: TinyV3, olist: OlistV3, sold: str
) -> None:
    """An invoice that came later does not show in the row."""
    state = json.loads(last_cursor(olist.changed_fulfilments("")))
    yesterday = (datetime.now(LOCAL) - timedelta(days=1)).replace(hour=12).isoformat()
    look = json.loads(state["look"]) | {"since": yesterday, "began": yesterday}
    state |= {"look": json.dumps(look), "day": yesterday[:10]}
    calls_of(erp)

    cursor = last_cursor(olist.changed_fulfilments(json.dumps(state)))
    at_first = calls_of(erp)
    list(olist.changed_fulfilments(cursor))

    assert ("GET", f"pedidos/{sold}") in at_first
    assert calls_of(erp) == [("GET", "pedidos")]


def test_an_order_that_changes_after_it_was_opened_is_opened_by_the_next_look(
    erp: TinyV3, olist: OlistV3, sold: str
) -> None:
    cursor = last_cursor(olist.changed_fulfilments(""))
    erp.work()
    pages = olist.changed_fulfilments(cursor)
    invoiced = records([next(pages), next(pages)], olist.read_fulfilment)
    erp.work()  # before the page is asked for once more

    cursor = last_cursor(pages)
    sent = records(olist.changed_fulfilments(cursor), olist.read_fulfilment)

    assert [each.status for each in invoiced] == [OrderStatus.INVOICED]
    assert [each.status for each in sent] == [OrderStatus.SHIPPED]


def test_other_peoples_orders_are_left_alone(erp: TinyV3, olist: OlistV3, sold: str) -> None:
    held(erp, HUB_ID)["ecommerce"] = {"id": 1, "numeroPedidoEcommerce": "SITE-77"}

    assert records(olist.changed_fulfilments(""), olist.read_fulfilment) == []


def test_an_integration_that_moves_from_the_api_v2_goes_on_from_its_cursors(
    erp: TinyV3, olist: OlistV3, sold: str
) -> None:
    mug = next(each["id"] for each in erp.products.values() if each["sku"] == "CAN-07")
    look = {"since": "2026-03-01T10:00:00-03:00", "began": "2026-03-01T10:00:00-03:00"}
    cursor = json.dumps({**look, "todo": [{"id": str(mug), "tipoVariacao": "N"}]})

    stock = records(olist.changed_stock(cursor), olist.read_stock)
    told = records(olist.changed_fulfilments(json.dumps(look)), olist.read_fulfilment)

    assert {each.sku for each in stock} == {"CAM-01-P", "CAM-01-G", "CAN-07"}
    assert [each.external_id for each in told] == [sold]


# -- Notices --------------------------------------------------------------------------------------
def test_the_account_s_notices_are_the_api_v2_s(erp: TinyV3, olist: OlistV3, sold: str) -> None:
    data = {"id": sold, "idPedidoEcommerce": HUB_ID}
    body = {"cnpj": "12ABC34501DE35", "tipo": "atualizacao_pedido", "dados": data}

    assert olist.read_notice(json.dumps(body).encode()) == [Changed(FulfilmentSource, sold)]


def test_what_is_asked_for_by_its_sku_is_fetched_alone(olist: OlistV3, full_shelf: None) -> None:
    def by_sku(ability: Any, sku: str) -> list[Any]:
        return list(olist.fetch(ability, olist.number_of_sku(ability, sku)))

    product = [olist.read_product(each).sku for each in by_sku(ProductSource, "CAM-01")]
    stock = [
        olist.read_stock(each).sku
        for sku in ("CAN-07", "CAM-01")
        for each in by_sku(StockSource, sku)
    ]
    gone = [*by_sku(ProductSource, "NADA"), *by_sku(StockSource, "NADA")]

    assert (product, stock, gone) == (["CAM-01"], ["CAN-07", "CAM-01-P", "CAM-01-G"], [])


def test_what_a_notice_names_is_fetched(erp: TinyV3, olist: OlistV3, sold: str) -> None:
    erp.work()
    shirt = next(each for each in erp.products.values() if each["sku"] == "CAM-01")
    small = shirt["variacoes"][0]["id"]
    note = next(iter(erp.notes))

    product = [olist.read_product(each).sku for each in olist.fetch(ProductSource, str(small))]
    prices = [olist.read_price(each).sku for each in olist.fetch(PriceSource, "CAM-01")]
    stock = [olist.read_stock(each).quantity for each in olist.fetch(StockSource, str(small))]
    by_note = [
        olist.read_fulfilment(each).external_id
        for named in (sold, f"nota {note}", f"numero {HUB_ID}")
        for each in olist.fetch(FulfilmentSource, named)
    ]

    assert (product, prices, stock) == (["CAM-01"], ["CAM-01", "CAM-01-P", "CAM-01-G"], [4])
    assert by_note == [sold] * 3


def test_the_hubs_orders_are_listed_with_where_they_stand(
    olist: OlistV3, erp: TinyV3, sold: str
) -> None:
    since = datetime.now(UTC) - timedelta(days=1)

    states = list(olist.order_states(since))

    assert states == [OrderState(sold, HUB_ID, OrderStatus.APPROVED)]
