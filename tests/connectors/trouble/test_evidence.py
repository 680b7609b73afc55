"""What is kept of a failed call, and what of it a platform's support is given."""

import json
from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from connectors import exchanges
from connectors.contract import OrderSink
from connectors.errors import Rejected
from connectors.http import ask
from connectors.models import Activation, Failure, Run, Store
from connectors.redaction import MASK, without_people, without_secrets
from connectors.trouble.evidence import evidence_of
from connectors.trouble.failures import record_failure
from orders.push import push_orders
from orders.services import create_order
from tests.conftest import flow_of, make_activation, make_managed
from tests.orders.samples import document

URL = "https://loja.example.com.br/contrato"
TOKEN = "token-da-loja-0123456789"


@pytest.fixture
def rocky(store: Store) -> Activation:
    return make_managed(store, "rocky", URL, {"token": TOKEN})


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example/a?token=abcdef123&page=2",
        "token=abcdef123&formato=json",
        '{"access_token": "abcdef123", "ok": true}',
        "Authorization: Bearer abcdef123",
        '{"client_secret":"abcdef123',
    ],
)
def test_a_secret_is_found_in_addresses_forms_json_and_headers(text: str) -> None:
    clean = without_secrets(text)

    assert "abcdef123" not in clean
    assert MASK in clean


def test_a_known_secret_is_masked_wherever_it_stands_and_short_words_are_not() -> None:
    told = {"msg": f"bad {TOKEN}", "list": [f"{TOKEN}!"], "access_token": "x", "key": "t"}

    clean = without_secrets(told, [TOKEN, "t"])

    assert clean == {
        "msg": f"bad {MASK}", "list": [f"{MASK}!"], "access_token": MASK, "key": "t",
    }  # fmt: skip


def test_an_invoice_key_is_no_secret_and_a_missing_value_is_shown_as_missing() -> None:
    told = {"nfe_key": "4" * 44, "token": "", "chave_acesso": "5" * 44}

    assert without_secrets(told) == told


def test_people_are_masked_and_products_keep_their_names() -> None:
    told = {
        "payer_name": "Conceição", "payer_cpf": "39053344705", "payer_city": "Natal",
        "cliente": {"nome": "Ana", "fone": "84999990000", "cidade": "Natal"},
        "items": [{"sku": "A", "name": "Caneca", "quantity": 2}],
        "obs": "ligar para ana@example.com, CPF 390.533.447-05",
    }  # fmt: skip

    clean = without_people(told)

    assert clean == {
        "payer_name": MASK, "payer_cpf": MASK, "payer_city": "Natal",
        "cliente": {"nome": MASK, "fone": MASK, "cidade": "Natal"},
        "items": [{"sku": "A", "name": "Caneca", "quantity": 2}],
        "obs": f"ligar para {MASK}, CPF {MASK}",
    }  # fmt: skip


@responses.activate
def test_the_last_call_is_kept_without_headers_secrets_or_more_than_its_beginning() -> None:
    responses.post(f"{URL}/x", status=422, body=json.dumps({"echo": TOKEN, "long": "a" * 20_000}))
    exchanges.forget()

    with pytest.raises(Rejected):
        ask(
            "POST",
            f"{URL}/x",
            what="POST x",
            params={"token": TOKEN, "page": 1},
            data={"token": TOKEN, "pedido": '{"numero": 7}'},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
    last = exchanges.last()

    assert last is not None
    kept = last.as_document([TOKEN])
    assert kept["address"] == f"{URL}/x?token={MASK}&page=1"
    assert kept["request"] == {"token": MASK, "pedido": {"numero": 7}}
    assert (kept["method"], kept["status"]) == ("POST", 422)
    assert kept["answer"].startswith(f'{{"echo": "{MASK}"')
    assert len(kept["answer"]) < 9000
    assert TOKEN not in json.dumps(kept) + repr(last)


@responses.activate
def test_a_refused_order_keeps_what_was_ours_what_was_sent_and_what_was_answered(
    rocky: Activation, store: Store
) -> None:
    order = create_order(make_activation(store, "pluga"), document(payer_cpf="39053344705"))
    path = f"{URL}/orders/{order.public_id}"
    responses.put(path, status=422, json={"error": "CEP inválido", "token": TOKEN})

    push_orders(flow_of(rocky, OrderSink))

    failure = Failure.objects.get()
    assert (failure.ability, failure.cause, failure.is_push) == ("OrderSink", "invalid_value", True)
    assert failure.payload["id"] == order.public_id
    assert failure.payload["items"][0]["sku"] == "CAN-07"
    assert failure.translated["hub_id"] == order.public_id
    assert failure.exchange["address"] == path
    assert failure.exchange["request"]["id"] == order.public_id
    assert (failure.exchange["status"], failure.exchange["answer"]) == (
        422, {"error": "CEP inválido", "token": MASK},
    )  # fmt: skip
    assert not failure.can_be_edited


@responses.activate
def test_the_evidence_has_everything_but_secrets_and_people(
    rocky: Activation, store: Store
) -> None:
    order = create_order(
        make_activation(store, "pluga"),
        document(payer_name="Conceição D'Ávila", payer_cpf="39053344705", payer_email="c@x.com.br"),
    )
    answer = {"error": f"CPF 390.533.447-05 de c@x.com.br recusado, {TOKEN}"}
    responses.put(f"{URL}/orders/{order.public_id}", status=422, json=answer)
    push_orders(flow_of(rocky, OrderSink))

    bundle = evidence_of(Failure.objects.get())

    text = json.dumps(bundle, default=str, ensure_ascii=False)
    for secret in (TOKEN, "Conceição", "39053344705", "390.533", "c@x.com.br"):
        assert secret not in text
    assert bundle["operation"]["direction"] == "out"
    assert bundle["ids"]["record"] == order.public_id
    assert bundle["exchange"]["status"] == 422
    assert bundle["versions"]["connector"] == "rocky"
    assert bundle["times"]["times"] == 1


def test_what_no_database_can_hold_is_kept_as_python_writes_it(rocky: Activation) -> None:
    now = timezone.now()
    run = Run.objects.create(
        activation=rocky,
        ability="StockSource",
        flow="stock",
        expires_at=now + timedelta(hours=1),
        ended_at=now,
        outcome="done",
    )

    record_failure(run, "A", Rejected("no"), {"sku": "A"}, {"a": "\x00"}, {"answer": "\ud800"})

    failure = Failure.objects.get()
    assert "\\x00" in failure.translated
    assert "ud800" in failure.exchange


@responses.activate
def test_a_refused_order_names_nobody_in_any_column_that_people_read(
    rocky: Activation, store: Store
) -> None:
    people = {
        "payer_name": "Conceição", "payer_lastname": "D'Ávila", "payer_cpf": "39053344705",
        "payer_email": "c@x.com.br", "payer_phone": "84999990000",
        "receiver_address": "Rua das Flores", "receiver_zipcode": "59000-123",
    }  # fmt: skip
    order = create_order(
        make_activation(store, "pluga"), document(**people, log_permanent=["x" * 9000])
    )
    error = "Conceição D'Ávila, 390.533.447-05, (84) 99999-0000, Rua das Flores, 59000123: não"
    answer = {"error": error, "pedido": people}
    responses.put(f"{URL}/orders/{order.public_id}", status=422, json=answer)

    push_orders(flow_of(rocky, OrderSink))

    row = Failure.objects.values().get()
    text = json.dumps(row, default=str, ensure_ascii=False)
    for person in (*people.values(), "390.533", "99999-0000", "59000123"):
        assert person not in text
    assert row["sealed"] == ""  # what we send is read anew from the order
    assert row["exchange"]["request"].startswith("{")  # shortened, and masked before
