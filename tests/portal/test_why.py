"""“Por que não sincronizou?”: the chain of decisions about one SKU or order of one store."""

import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import responses
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from catalog.models import SkuMapping
from catalog.push import push_products
from catalog.tasks import pull_stock
from connectors.contract import OrderSink, ProductSink, StockSource
from connectors.models import Activation, ActivationFlow, Brake, Comparison, Failure, Run, Store
from connectors.services import pause
from orders.push import push_orders
from orders.services import create_order
from portal.why import Answer, answer
from tests.conftest import flow_of, make_activation, make_managed, make_store
from tests.connectors.admin.conftest import somebody_who_may
from tests.orders.samples import document
from tests.products import make_product

URL = "https://loja.example.com.br/contrato"
PAGE = "/admin/why/"


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def rocky(store: Store) -> Activation:
    return make_managed(store, "rocky", URL, {"token": "token-da-loja-0123"})


@pytest.fixture
def pluga(store: Store) -> Activation:
    return make_activation(store, "pluga")


def sell(store: Store, sku: str = "CANECA") -> Any:
    return make_product(store, sku, name="Caneca", price=10, on_hand=3)


def of(found: Answer, activation: Activation, title: str) -> str:
    """What decided this flow of this integration."""
    chain = next(c for c in found.chains if c.activation == activation and title in c.title)
    assert chain.decisive is not None
    return chain.decisive.text


def ask(client: Client, store: Store, text: str) -> str:
    html = client.get(PAGE, {"store": store.pk, "q": text}).content.decode()
    return " ".join(unescape(strip_tags(html)).split())


def test_a_code_that_nobody_knows_leads_to_its_mapping(
    store: Store, rocky: Activation, client: Client
) -> None:
    html = client.get(PAGE, {"store": store.pk, "q": "X-1"}).content.decode()

    assert "não há De/Para deste código" in html
    assert f"/admin/catalog/skumapping/add/?activation={rocky.pk}&amp;code=X-1" in html


@responses.activate
def test_a_parked_record_is_the_conclusion_with_who_acts_and_its_page(
    store: Store, rocky: Activation, client: Client
) -> None:
    item = {"sku": "9001", "quantity": 1}
    responses.get(f"{URL}/stock", json={"items": [item], "cursor": "1", "more": False})
    pull_stock(flow_of(rocky, StockSource))
    failure = Failure.objects.get()

    html = client.get(PAGE, {"store": store.pk, "q": "9001"}).content.decode()

    text = " ".join(unescape(strip_tags(html)).split())
    assert "SKU sem produto nem De/Para" in text
    assert "Quem age: o suporte do hub." in text
    assert f"/admin/connectors/failure/{failure.pk}/change/" in html


@responses.activate
def test_what_was_taken_says_when_and_under_which_code(store: Store, rocky: Activation) -> None:
    product = sell(store)
    SkuMapping.objects.create(activation=rocky, code="9001", product=product)
    item = {"sku": "9001", "quantity": 8}
    responses.get(f"{URL}/stock", json={"items": [item], "cursor": "1", "more": False})
    pull_stock(flow_of(rocky, StockSource))

    by_code, by_sku = answer(store, "9001"), answer(store, "CANECA")

    assert "Recebido como 9001" in of(by_code, rocky, "Estoque")
    assert "Recebido como 9001" in of(by_sku, rocky, "Estoque")
    assert by_code.item.product == product


def test_a_pause_a_brake_and_a_preview_are_each_the_reason(store: Store, rocky: Activation) -> None:
    sell(store)
    stock = ActivationFlow.objects.get(activation=rocky, ability="StockSource")
    brake = Brake.objects.create(
        activation=rocky, ability="StockSource", flow="stock", danger="zeroed", count=9, base=10,
        limit=30,
    )  # fmt: skip
    braked = of(answer(store, "CANECA"), rocky, "Estoque")
    brake.delete()
    preview = Comparison.objects.create(activation=rocky, purpose="preview", holds=True)
    previewed = of(answer(store, "CANECA"), rocky, "Estoque")
    preview.delete()
    run = Run.objects.create(
        activation=rocky, ability="StockSource", flow="stock", expires_at=timezone.now(),
        ended_at=timezone.now(), outcome="waiting",
    )  # fmt: skip
    ActivationFlow.objects.filter(pk=stock.pk).update(last_run_at=timezone.now())
    waited = of(answer(store, "CANECA"), rocky, "Estoque")
    Run.objects.filter(pk=run.pk).update(outcome="failed", reason="GET stock: HTTP 503")
    failed = of(answer(store, "CANECA"), rocky, "Estoque")
    pause(rocky.pk, "a pedido do lojista")

    paused = of(answer(store, "CANECA"), rocky, "Estoque")

    assert braked == "o fluxo parou e perguntou: zera estoques."
    assert previewed == "a prévia da primeira sincronização espera aprovação."
    assert waited.startswith("a cota de chamadas da conta acabou")
    assert "GET stock: HTTP 503" in failed
    assert paused.startswith("a integração está pausada.")


def test_a_flow_that_the_specification_does_not_have_is_not_expected(
    store: Store, pluga: Activation, client: Client
) -> None:
    sell(store)

    text = ask(client, store, "CANECA")

    assert "A ficha do conector não prevê" in text
    assert "Nenhuma integração desta loja trata disto." in text


def test_a_product_waits_for_the_channel_and_then_is_there(store: Store, sandbox: Any) -> None:
    credentials = {
        "client_id": "a" * 32, "client_secret": "client-secret-of-the-plugin",
        "api_user": "1461957000", "api_secret": "api-secret-of-the-account",
    }  # fmt: skip
    hub = sandbox.open("hub", "why", credentials)
    channel = make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", credentials)
    sell(store)

    before = of(answer(store, "CANECA"), channel, "Produtos")
    push_products(flow_of(channel, ProductSink))
    after = of(answer(store, "CANECA"), channel, "Produtos")

    assert "ainda não rodou" in before
    assert after.startswith("Enviado como CANECA")


def test_an_order_in_a_status_that_nobody_consumes_says_which_are(
    store: Store, pluga: Activation, client: Client
) -> None:
    webstore = make_activation(store, "webstore")
    order = create_order(pluga, document(status="pending"))

    found = answer(store, order.original_id)

    chain = next(c for c in found.chains if c.activation == webstore)
    assert [s.text for s in chain.decisions if s.verdict == "stop"] == [
        "o pedido está pendente, e este conector só recebe pedidos nestas situações: aprovado."
    ]
    assert "O pedido veio por esta integração" in ask(client, store, order.public_id)


@responses.activate
def test_a_refused_order_is_stopped_by_its_failure_and_a_sent_one_is_done(
    store: Store, rocky: Activation, pluga: Activation
) -> None:
    order = create_order(pluga, document())
    path = f"{URL}/orders/{order.public_id}"
    responses.put(path, status=422, json={"error": "CEP inválido"})
    push_orders(flow_of(rocky, OrderSink))
    refused = of(answer(store, order.original_id), rocky, "Pedidos")
    responses.reset()
    responses.put(path, json={"id": "P-77"})
    Failure.objects.update(retry_at=timezone.now() - timedelta(minutes=1))

    push_orders(flow_of(rocky, OrderSink))

    assert "valor impossível no cadastro" in refused
    assert "HTTP 422" in refused
    sent = of(answer(store, "P-77"), rocky, "Pedidos")  # by its number there
    assert sent == "Enviado como Aprovado. Número lá: P-77."


def test_an_order_older_than_the_integration_says_so(store: Store, pluga: Activation) -> None:
    order = create_order(pluga, document())
    late = make_activation(store, "webstore")

    assert "criada depois do pedido" in of(answer(store, order.public_id), late, "Pedidos")


def test_a_partners_notice_is_part_of_the_chain(store: Store, pluga: Activation) -> None:
    webstore = make_activation(store, "webstore", plugin_url="https://parceiro.example.com.br/n")
    order = create_order(pluga, document())

    waiting = answer(store, order.public_id)
    webstore.notices.update(delivered_at=timezone.now())
    delivered = answer(store, order.public_id)

    def texts(found: Answer) -> list[str]:
        return [s.text for c in found.chains if c.activation == webstore for s in c.decisions]

    assert "A notificação está na fila." in texts(waiting)
    assert any(text.startswith("Notificação entregue") for text in texts(delivered))


def test_nothing_of_another_store_is_found(
    store: Store, rocky: Activation, pluga: Activation, client: Client
) -> None:
    other = make_store()
    sell(other, "DELA")
    order = create_order(make_activation(other, "pluga"), document("777"))
    Failure.objects.create(
        activation=make_managed(other, "rocky", URL, {"token": "t"}), flow="stock",
        record_id="DELA", kind="refused", reason="segredo da outra",
    )  # fmt: skip

    for text in ("DELA", "777", order.public_id):
        found = answer(store, text)
        assert (found.item.product, found.sale.order) == (None, None)
        assert {chain.activation.store_id for chain in found.chains} == {store.pk}
        assert "segredo da outra" not in ask(client, store, text)


def test_more_integrations_cost_no_more_queries(
    store: Store, rocky: Activation, pluga: Activation
) -> None:
    sell(store)
    order = create_order(pluga, document())

    def queries() -> int:
        with CaptureQueriesContext(connection) as done:
            for text in ("CANECA", order.public_id, "unknown"):
                answer(store, text)
        return len(done)

    few = queries()
    for _number in range(5):
        other = make_managed(store, "rocky", URL, {"token": "t"})
        make_activation(store, "webstore")
        Failure.objects.create(
            activation=other, flow="stock", record_id="CANECA", kind="refused", reason="no"
        )

    assert queries() == few


def test_the_evidence_of_a_question_holds_its_decisions_and_its_failures(
    store: Store, rocky: Activation, client: Client
) -> None:
    Failure.objects.create(
        activation=rocky, flow="stock", record_id="9001", kind="refused",
        reason="token=abcdef123 de ana@example.com",
    )  # fmt: skip

    reply = client.get(PAGE, {"store": store.pk, "q": "9001", "evidence": "1"})

    bundle = json.loads(reply.content)
    assert "attachment" in reply.headers["Content-Disposition"]
    assert [each["ids"]["record"] for each in bundle["failures"]] == ["9001"]
    assert {each["activation"] for each in bundle["decisions"]} == {rocky.pk}
    assert "abcdef123" not in reply.content.decode()
    assert "ana@example.com" not in reply.content.decode()


def test_only_who_may_see_all_of_it_may_ask(store: Store) -> None:
    nosy = somebody_who_may("view_activation", "view_failure", "view_product")

    assert nosy.get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302


@pytest.mark.parametrize("wrong", ["abc", "-1", "9" * 20])
def test_a_store_that_is_none_is_said(wrong: str, client: Client) -> None:
    answer = client.get(PAGE, {"store": wrong, "q": "CANECA"})

    assert answer.status_code == 200
