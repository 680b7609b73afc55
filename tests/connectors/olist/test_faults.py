"""What the ERP may answer when it is not well. Nothing here may show the token."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from catalog.models import Stock
from catalog.reservations import note_taken, reserve
from catalog.services import create_product
from catalog.tasks import pull_stock
from connectors.contract import Account, FulfilmentSource, Page, StockSource
from connectors.errors import (
    ConnectorError,
    OutOfBudget,
    Rejected,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from connectors.models import Failure, Run, Store
from connectors.olist.client import Olist
from connectors.records import OrderStatus
from tests.conftest import flow_of, make_managed
from tests.connectors.olist.conftest import (
    CREDENTIALS,
    HUB_ID,
    TOKEN,
    last_cursor,
    make_order,
    records,
)

URL = "https://api.tiny.com.br/api2"


@pytest.fixture
def far_side() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as far_side:
        yield far_side


@pytest.fixture
def olist() -> Olist:
    return Olist(Account(f"{URL}/", CREDENTIALS))


def refusal(code: int | str, text: str = "não foi possível") -> dict[str, Any]:
    return {
        "retorno": {
            "status_processamento": 2,
            "status": "Erro",
            "codigo_erro": code,
            "erros": [{"erro": text}],
        }
    }


def ok(**content: Any) -> dict[str, Any]:
    return {"retorno": {"status_processamento": "3", "status": "OK", **content}}


def failure_of_check(olist: Olist) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        olist.check()
    assert TOKEN not in f"{caught.value!r}"
    return caught.value


def test_a_call_is_a_form_with_the_token(far_side: responses.RequestsMock, olist: Olist) -> None:
    far_side.post(f"{URL}/info.php", json=ok(conta={"razao_social": "Exemplo Ltda"}))

    olist.check()

    request = far_side.calls[0].request
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.body == f"token={TOKEN}&formato=json"


def test_an_order_travels_as_json_in_one_field(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=refusal(20))
    record = {"sequencia": "1", "status": "OK", "id": "37644545", "numero": "12"}
    far_side.post(f"{URL}/pedido.incluir.php", json=ok(registros={"registro": record}))

    assert olist.push_order(make_order()) == "37644545"

    form = parse_qs(str(far_side.calls[1].request.body))
    assert set(form) == {"token", "formato", "pedido"}
    assert form["pedido"][0].startswith('{"pedido": {"data_pedido": "19/11/2026"')
    assert "Exemplo Comercial & Distribuid" in form["pedido"][0]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, Unauthorized),
        (2, Unauthorized),
        (3, Rejected),
        (4, Rejected),
        (5, Unauthorized),
        (6, OutOfBudget),
        (7, Unauthorized),
        (8, Unauthorized),
        (9, Rejected),
        (10, Rejected),
        (11, OutOfBudget),
        (20, Rejected),
        (21, Rejected),
        (22, Rejected),
        (23, Rejected),
        (30, Rejected),
        (31, Rejected),
        (32, Rejected),
        (33, Rejected),
        (34, Rejected),
        (35, Unavailable),
        (99, Unavailable),
    ],
)
@pytest.mark.parametrize("kind", [int, str])
def test_every_code_of_the_erp_has_its_meaning(
    far_side: responses.RequestsMock,
    olist: Olist,
    code: int,
    error: type[ConnectorError],
    kind: type,
) -> None:
    far_side.post(f"{URL}/info.php", json=refusal(kind(code), "motivo"))

    failure = failure_of_check(olist)

    assert type(failure) is error
    assert str(failure) == f"info.php: motivo ({code})"


def test_too_many_calls_are_forgotten_in_the_next_minute(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    far_side.post(f"{URL}/info.php", json=refusal(6))

    failure = failure_of_check(olist)

    assert isinstance(failure, Unavailable)
    assert failure.after == 60


@pytest.mark.parametrize("code", [20, 23])
def test_a_search_that_finds_nothing_is_empty(
    far_side: responses.RequestsMock, olist: Olist, code: int
) -> None:
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=refusal(code))

    assert records(olist.changed_fulfilments(""), olist.read_fulfilment) == []


@pytest.mark.parametrize("status", ["Erro", "Parcial", "OK"])
def test_a_refused_record_is_told_with_all_its_reasons(
    far_side: responses.RequestsMock, olist: Olist, status: str
) -> None:
    errors = [{"erro": "CPF inválido"}, {"erro": "CEP inválido"}]
    record = {"sequencia": "1", "status": "Erro", "codigo_erro": "31", "erros": errors}
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=refusal(20))
    far_side.post(
        f"{URL}/pedido.incluir.php",
        json={
            "retorno": {
                "status_processamento": "2",
                "status": status,
                "registros": [{"registro": record}],
            }
        },
    )

    with pytest.raises(Rejected) as caught:
        olist.push_order(make_order())

    assert str(caught.value) == "pedido.incluir.php: CPF inválido; CEP inválido (31)"


def test_an_invoice_of_no_order_is_nothing(far_side: responses.RequestsMock, olist: Olist) -> None:
    note = {"id": 5501, "id_venda": "0", "situacao": "6"}
    far_side.post(f"{URL}/nota.fiscal.obter.php", json=ok(nota_fiscal=note))

    assert list(olist.fetch(FulfilmentSource, "nota 5501")) == []


def test_a_duplicate_that_is_ours_is_no_refusal(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    """The first answer was lost, and the search did not know the order yet."""
    row = {"id": 808112233, "numero_ecommerce": HUB_ID, "situacao": "Aprovado"}
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=refusal(20))
    far_side.post(f"{URL}/pedido.incluir.php", json=refusal(30, "Registro em duplicidade"))
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=ok(pedidos=[{"pedido": row}]))

    assert olist.push_order(make_order()) == "808112233"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_erp_that_is_down_is_unavailable(
    far_side: responses.RequestsMock, olist: Olist, status: int
) -> None:
    far_side.post(f"{URL}/info.php", status=status, body=f"<html>{TOKEN}</html>")

    assert type(failure_of_check(olist)) is Unavailable


def test_an_order_whose_creation_timed_out_is_not_created_again(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    row = {"id": 808112233, "numero_ecommerce": HUB_ID, "situacao": "Aprovado"}
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=refusal(20))
    far_side.post(f"{URL}/pedido.incluir.php", body=requests.ReadTimeout(f"token={TOKEN}"))
    with pytest.raises(Unavailable, match=r"^pedido\.incluir\.php: POST: ReadTimeout$"):
        olist.push_order(make_order())
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=ok(pedidos=[{"pedido": row}]))

    assert olist.push_order(make_order()) == "808112233"
    assert [str(call.request.url).rsplit("/", 1)[1] for call in far_side.calls] == [
        "pedidos.pesquisa.php",
        "pedido.incluir.php",
        "pedidos.pesquisa.php",
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("[]", r"\$: got list, not an object"),
        ("{}", r"\$\.retorno: got NoneType, not an object"),
        ('{"retorno": {}}', r"\$\.retorno\.status: got NoneType"),
        ('{"retorno": {"status": "Talvez"}}', r"\$\.retorno\.status: 'Talvez' is new to us"),
        ('{"retorno": {"status": "OK"}}', r"\$\.retorno\.conta: got NoneType, not an object"),
    ],
)
def test_what_is_not_in_the_known_shape_is_unreadable(
    far_side: responses.RequestsMock, olist: Olist, body: str, place: str
) -> None:
    far_side.post(f"{URL}/info.php", body=body)

    with pytest.raises(Unreadable, match=place) as caught:
        olist.check()

    assert TOKEN not in f"{caught.value!r}{caught.value.__cause__!r}"


@pytest.mark.parametrize("body", [f"<html>token={TOKEN}</html>", '{"retorno": {"sta', ""])
def test_half_an_answer_or_a_page_is_no_answer(
    far_side: responses.RequestsMock, olist: Olist, body: str
) -> None:
    """Nothing is wrong with the record: it is asked for again."""
    far_side.post(f"{URL}/info.php", body=body)

    assert type(failure_of_check(olist)) is Unavailable


def test_a_token_that_the_erp_echoes_is_masked(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    far_side.post(f"{URL}/info.php", json=refusal(2, f"token {TOKEN} invalido"))

    assert str(failure_of_check(olist)) == "info.php: token *** invalido (2)"


def test_without_the_extension_that_is_shown_and_the_days_pass_is_made(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    product = {"id": "1", "codigo": "CAN-07", "preco": "110", "situacao": "A"}
    far_side.post(
        f"{URL}/produtos.pesquisa.php",
        json=ok(pagina="1", numero_paginas="1", produtos=[{"produto": product}]),
    )
    far_side.post(f"{URL}/lista.atualizacoes.produtos", json=refusal(5, "API sem acesso"))
    far_side.post(f"{URL}/produto.obter.php", json=ok(produto=product))

    refused, mug = (each for page in olist.changed_products("") for each in page.items)

    with pytest.raises(
        Rejected, match=r"^lista\.atualizacoes\.produtos: API sem acesso \(5\)$"
    ) as caught:
        olist.read_product(refused)
    assert caught.value.cause == "plan"
    assert olist.read_product(mug).sku == "CAN-07"


def test_once_the_extension_is_there_its_failure_is_over(
    far_side: responses.RequestsMock, store: Store
) -> None:
    flow = flow_of(make_managed(store, "olist", f"{URL}/", CREDENTIALS), StockSource)
    far_side.post(f"{URL}/produtos.pesquisa.php", json=refusal(20))
    list_ = f"{URL}/lista.atualizacoes.estoque"
    far_side.post(list_, json=refusal(5, "API sem acesso"))

    pull_stock(flow)
    failed_before = Failure.objects.open().count()
    far_side.replace("POST", list_, json=refusal(20))
    pull_stock(flow)

    assert (failed_before, Failure.objects.open().count()) == (1, 0)
    pull_stock(flow)
    assert Run.objects.latest("pk").seen == 0


def test_a_level_that_waited_for_its_reading_is_with_the_units_of_orders_taken_since(
    far_side: responses.RequestsMock, store: Store
) -> None:
    mug = create_product(store, {"sku": "CAN-07", "quantity": 1}, None)
    olist = make_managed(store, "olist", f"{URL}/", CREDENTIALS)
    flow, level = flow_of(olist, StockSource), Stock.objects.filter(product=mug)
    updates, opened = f"{URL}/lista.atualizacoes.estoque", f"{URL}/produto.obter.php"
    far_side.post(f"{URL}/produtos.pesquisa.php", json=refusal(20))
    row = {"id": 1, "codigo": "CAN-07", "saldo": 10, "saldoReservado": 0}
    parent = {"id": "2", "tipo_variacao": "P"}
    far_side.post(updates, json=ok(produtos=[{"produto": parent}, {"produto": row}]))
    far_side.post(opened, json=refusal(11))
    pull_stock(flow)  # has no calls left for the rows that it was told

    reserve(store, "sale", {mug.pk: 1}, None)
    note_taken(store, "sale", olist)
    far_side.replace("POST", opened, json=ok(produto={"id": "2", "variacoes": ""}))
    far_side.replace("POST", updates, json=refusal(11))
    pull_stock(flow)
    of_before = level.get().available
    far_side.replace("POST", updates, json=ok(produtos=[{"produto": {**row, "saldo": 9}}]))
    pull_stock(flow)

    assert of_before == 9
    assert (level.get().on_hand, level.get().available) == (9, 9)


def test_a_list_that_does_not_forget_is_not_asked_for_ever(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    row = {"id": 1, "codigo": "CAN-07", "saldo": 3, "saldoReservado": 0, "depositos": []}
    far_side.post(f"{URL}/produtos.pesquisa.php", json=refusal(20))
    far_side.post(f"{URL}/lista.atualizacoes.estoque", json=ok(produtos=[{"produto": row}]))

    levels = records(olist.changed_stock(""), olist.read_stock)

    assert [(each.sku, each.quantity) for each in levels] == [("CAN-07", 3)]
    assert len(far_side.calls) == 3


def test_a_run_that_is_cut_off_by_the_limit_keeps_what_it_listed(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    row = {"id": 808112233, "numero_ecommerce": HUB_ID, "situacao": "Aprovado"}
    order = {"id": "808112233", "numero_ecommerce": HUB_ID, "situacao": "Aprovado"}
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=ok(pedidos=[{"pedido": row}]))
    far_side.post(f"{URL}/pedido.obter.php", json=refusal(6))
    stored: list[Page] = []
    with pytest.raises(Unavailable):
        stored.extend(olist.changed_fulfilments(""))
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=refusal(20))
    far_side.post(f"{URL}/pedido.obter.php", json=ok(pedido=order))

    (record,) = records(olist.changed_fulfilments(stored[-1].cursor), olist.read_fulfilment)

    assert (record.hub_id, record.status) == (HUB_ID, OrderStatus.APPROVED)


def test_where_nothing_happens_the_cursor_still_moves(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=refusal(20))

    first = last_cursor(olist.changed_fulfilments(""))

    assert '"since": "20' in first


def test_an_invoice_whose_link_is_not_there_yet_is_looked_at_again(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    row = {"id": 808112233, "numero_ecommerce": HUB_ID, "situacao": "Faturado"}
    order = {**row, "id_nota_fiscal": "5501"}
    far_side.post(f"{URL}/pedidos.pesquisa.php", json=ok(pedidos=[{"pedido": row}]))
    far_side.post(f"{URL}/pedido.obter.php", json=ok(pedido=order))
    note = {"id": "5501", "situacao": "6"}
    far_side.post(f"{URL}/nota.fiscal.obter.php", json=ok(nota_fiscal=note))
    far_side.post(f"{URL}/nota.fiscal.obter.link.php", json=refusal(34, "não autorizada"))
    pages = list(olist.changed_fulfilments(""))

    (record,) = records(pages, olist.read_fulfilment)

    assert (record.status, record.invoice) == (OrderStatus.PICKING, None)
    assert '"later"' in pages[-1].cursor


def test_what_was_answered_of_another_record_is_not_taken(
    far_side: responses.RequestsMock, olist: Olist
) -> None:
    """All records have one address: a cache on the way that looks at nothing else mixes them."""
    others = ok(produto={"id": 70, "codigo": "CAN-07", "saldo": "552"})
    far_side.post(f"{URL}/produto.obter.estoque.php", json=others)

    with pytest.raises(Unavailable, match="asked for 50, answered 70"):
        list(olist.fetch(StockSource, "50"))
