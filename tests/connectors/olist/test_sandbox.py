"""What the sandbox's ERP answers to those who speak to it directly."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.olist.mapping.orders import write_order
from connectors.sandbox.tiny import Tiny
from tests.connectors.conftest import Receiver
from tests.connectors.olist.conftest import HUB_ID, INTEGRATOR, make_order

Ask = Callable[..., Any]
LONG_AGO = "01/01/2020 00:00:00"


def put(ask: Ask, **changes: Any) -> Any:
    pedido = {**write_order(make_order(), INTEGRATOR)["pedido"], **changes}
    return ask("pedido.incluir.php", pedido=json.dumps({"pedido": pedido}))


def error(code: int, text: str, processing: int = 2) -> Any:
    return {
        "status_processamento": processing,
        "status": "Erro",
        "codigo_erro": code,
        "erros": [{"erro": text}],
    }


def test_a_missing_and_a_wrong_token_are_told_apart(ask: Ask) -> None:
    assert ask("info.php", token="") == error(1, "token não informado", processing=1)
    assert ask("info.php", token="x") == error(2, "token invalido", processing=1)


def test_a_search_without_rows_is_an_error_of_its_own(ask: Ask) -> None:
    answer = ask("produtos.pesquisa.php", pesquisa="")

    assert answer == error(20, "A Consulta não retornou registros")


def test_a_page_has_a_hundred_rows_and_there_is_none_after_the_last(ask: Ask, erp: Tiny) -> None:
    for number in range(101):
        erp.control("put_product", {"codigo": f"P{number}", "nome": "x", "preco": 1})

    first = ask("produtos.pesquisa.php", pesquisa="")
    second = ask("produtos.pesquisa.php", pesquisa="", pagina="2")
    third = ask("produtos.pesquisa.php", pesquisa="", pagina="3")

    assert (first["pagina"], first["numero_paginas"]) == ("1", "2")
    assert (len(first["produtos"]), len(second["produtos"])) == (100, 1)
    assert third["codigo_erro"] == 23


def test_a_list_of_updates_forgets_what_it_answered(ask: Ask, erp: Tiny) -> None:
    erp.control("put_product", {"codigo": "CAN-07", "nome": "Caneca", "preco": 1, "saldo": 3})

    first = ask("lista.atualizacoes.estoque", dataAlteracao=LONG_AGO)
    second = ask("lista.atualizacoes.estoque", dataAlteracao=LONG_AGO)

    assert first["produtos"][0]["produto"]["saldo"] == 3
    assert second["codigo_erro"] == 20


def test_an_order_is_taken_as_often_as_it_is_sent(ask: Ask, erp: Tiny) -> None:
    first, second = put(ask), put(ask)

    assert first["registros"]["registro"]["id"] != second["registros"]["registro"]["id"]
    assert erp.report()["orders"][HUB_ID]["created"] == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"cliente": {}}, "O nome do cliente é obrigatório"),
        ({"cliente": {"nome": "x" * 31}}, "cliente.nome tem mais de 30 caracteres"),
        ({"situacao": "Aprovado"}, "Situação inválida"),
        ({"valor_frete": "1"}, "A soma das parcelas difere do total do pedido"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused(
    ask: Ask, changes: dict[str, Any], text: str
) -> None:
    answer = put(ask, **changes)

    record = {"sequencia": "1", "status": "Erro", "codigo_erro": "31", "erros": [{"erro": text}]}
    assert answer == {
        "status_processamento": "2",
        "status": "Erro",
        "registros": [{"registro": record}],
    }


def test_an_order_is_read_with_a_label_and_written_with_a_slug(ask: Ask) -> None:
    id = put(ask)["registros"]["registro"]["id"]

    ask("pedido.alterar.situacao", id=id, situacao="preparando_envio")

    assert ask("pedido.obter.php", id=id)["pedido"]["situacao"] == "Preparando envio"
    refused = ask("pedido.alterar.situacao", id=id, situacao="Preparando envio")
    assert refused["codigo_erro"] == 31


def test_what_there_is_not_cannot_be_opened(ask: Ask) -> None:
    assert ask("pedido.obter.php", id="1") == error(32, "Registro não localizado")
    assert ask("nota.fiscal.obter.php", id="1") == error(32, "Nota fiscal não localizada")


def test_its_people_change_prices_stock_and_situations(erp: Tiny, ask: Ask) -> None:
    erp.control("put_product", {"codigo": "CAN-07", "nome": "Caneca", "preco": 1, "saldo": 3})
    put(ask)

    erp.control("set_price", {"codigo": "CAN-07", "preco": 2, "preco_promocional": 1.5})
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 9, "saldoReservado": 4})
    erp.control("set_situation", {"numero_ecommerce": HUB_ID, "situacao": "nao_entregue"})

    report = erp.control("report", {})
    assert report["prices"] == {"CAN-07": {"price": "2", "special_price": "1.5"}}
    assert report["stock"] == {"CAN-07": 5}
    assert report["orders"][HUB_ID]["situacoes"] == ["aprovado", "nao_entregue"]


def test_a_product_that_is_put_again_keeps_its_id_and_its_stock(erp: Tiny) -> None:
    mug = {"codigo": "CAN-07", "nome": "Caneca", "preco": 1}
    first = erp.control("put_product", {**mug, "saldo": 3})

    second = erp.control("put_product", {**mug, "nome": "Caneca azul"})

    assert first == second
    assert erp.report()["stock"] == {"CAN-07": 3}
    assert erp.report()["products"] == {"CAN-07": "Caneca azul"}


def test_a_webhook_that_is_not_answered_with_200_comes_back(erp: Tiny, receiver: Receiver) -> None:
    erp.control("put_product", {"codigo": "CAN-07", "nome": "Caneca", "preco": 1})
    erp.webhooks.address, erp.webhooks.integrator = receiver.url, INTEGRATOR
    erp.control("set_stock", {"codigo": "CAN-07", "saldo": 3})
    receiver.reply(500)

    erp.webhooks.ring()
    for notice in erp.webhooks.waiting:
        notice.not_before = 0
    erp.webhooks.ring()

    first, second, again = receiver.bodies
    assert again == first
    assert (first["tipo"], first["idEcommerce"]) == ("estoque", int(INTEGRATOR))
    assert (second["tipo"], "idEcommerce" in second) == ("estoque", False)  # the account's
    assert erp.report()["webhooks"]["not_told"] == []


def test_the_panel_takes_no_address_that_answers_some_methods_only(
    erp: Tiny, receiver: Receiver
) -> None:
    with pytest.raises(ValueError, match="URL inacessível"):
        erp.control("settings", {"notify": receiver.url, "integrator_id": INTEGRATOR})

    assert erp.webhooks.address == ""
