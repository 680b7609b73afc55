from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import Unreadable
from connectors.olist.mapping.fulfilments import read_fulfilment, read_status
from connectors.payload import Payload
from connectors.records import FulfilmentRecord, InvoiceRecord, OrderStatus, TrackingRecord
from tests.connectors.olist.conftest import HUB_ID, sample

UNSHIPPED = {"codigo_rastreamento": "", "url_rastreamento": "", "data_envio": ""}


def fulfilment(*, invoiced: bool = True, **changes: Any) -> Payload:
    whole = sample("fulfilment_sent.json")
    whole["pedido"] |= changes
    if not invoiced:
        whole |= {"nota_fiscal": None, "link": ""}
    return Payload(whole)


def test_a_sent_order_comes_with_invoice_and_tracking() -> None:
    assert read_fulfilment(fulfilment()) == FulfilmentRecord(
        status=OrderStatus.SHIPPED,
        hub_id=HUB_ID,
        external_id="808112233",
        invoice=InvoiceRecord(
            key="35261112ABC34501DE35550010000001231123456786",
            number="000123",
            series="1",
            issued_at=datetime(2026, 11, 21, 3, tzinfo=UTC),
            link="https://danfe.example.com/808200001",
        ),
        tracking=TrackingRecord(
            company="Correios",
            method="SEDEX",
            code="AA123456785BR",
            url="https://rastreio.example.com/AA123456785BR",
            shipped_at=datetime(2026, 11, 22, 3, tzinfo=UTC),
        ),
    )


def test_an_open_order_has_neither() -> None:
    record = read_fulfilment(fulfilment(invoiced=False, situacao="Em aberto", **UNSHIPPED))

    assert record == FulfilmentRecord(OrderStatus.PENDING, HUB_ID, "808112233")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("Dados incompletos", "dados_incompletos"), OrderStatus.PENDING),
        (("Em aberto", "aberto", "Aberto"), OrderStatus.PENDING),
        (("Aprovado", "aprovado"), OrderStatus.APPROVED),
        (("Preparando envio", "preparando_envio"), OrderStatus.PICKING),
        (("Faturado", "faturado", "Atendido", "Faturado (atendido)"), OrderStatus.INVOICED),
        (("Enviado", "enviado"), OrderStatus.SHIPPED),
        (("Entregue", "entregue"), OrderStatus.DELIVERED),
        (("Cancelado", "cancelado"), OrderStatus.CANCELED),
        (("Não entregue", "nao_entregue"), OrderStatus.SHIPPED),
    ],
)
def test_label_and_slug_mean_the_same(words: tuple[str, ...], status: OrderStatus) -> None:
    assert {read_status(Payload({"situacao": word})) for word in words} == {status}


def test_a_new_word_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"^\$\.pedido\.situacao: 'Extraviado' is new to us$"):
        read_fulfilment(fulfilment(situacao="Extraviado"))


@pytest.mark.parametrize("word", ["Pronto para envio", "pronto_envio"])
def test_ready_to_ship_is_shipping_informed_once_the_tracking_is_known(word: str) -> None:
    with_tracking = read_fulfilment(fulfilment(situacao=word))
    without = read_fulfilment(fulfilment(situacao=word, **UNSHIPPED))

    assert with_tracking.status == OrderStatus.SHIPPING_INFORMED
    assert without.status == OrderStatus.INVOICED


def test_invoiced_without_an_authorised_invoice_is_still_being_prepared() -> None:
    record = read_fulfilment(fulfilment(invoiced=False, situacao="Faturado", **UNSHIPPED))

    assert record.status == OrderStatus.PICKING


def test_a_date_may_have_a_time() -> None:
    record = read_fulfilment(fulfilment(data_entrega="25/11/2026 14:05:00"))

    assert record.tracking is not None
    assert record.tracking.delivered_at == datetime(2026, 11, 25, 17, 5, tzinfo=UTC)


def test_a_date_that_is_none_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"\$\.pedido\.data_envio: cannot read '31/02/2026'"):
        read_fulfilment(fulfilment(data_envio="31/02/2026"))
