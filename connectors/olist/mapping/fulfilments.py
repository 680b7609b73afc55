"""What became of orders: the ERP's words to ours (platform-apis.md, sections 3.6, 3.7 and 11)."""

from datetime import UTC, datetime
from typing import Any

from connectors.errors import Unreadable
from connectors.fiscal import compact
from connectors.olist.transport import DATE, DATE_TIME
from connectors.payload import LOCAL, Payload, read_value
from connectors.records import FulfilmentRecord, InvoiceRecord, OrderStatus, TrackingRecord

# Slugs and labels: `pedido.obter` and searches answer with the label, the rest of the API speaks
# in slugs. Compared without case.
STATUSES = {
    "dados_incompletos": OrderStatus.PENDING,
    "dados incompletos": OrderStatus.PENDING,
    "aberto": OrderStatus.PENDING,
    "em aberto": OrderStatus.PENDING,
    "aprovado": OrderStatus.APPROVED,
    "preparando_envio": OrderStatus.PICKING,
    "preparando envio": OrderStatus.PICKING,
    "faturado": OrderStatus.INVOICED,
    "atendido": OrderStatus.INVOICED,
    "faturado (atendido)": OrderStatus.INVOICED,
    "pronto_envio": OrderStatus.SHIPPING_INFORMED,
    "pronto para envio": OrderStatus.SHIPPING_INFORMED,
    "enviado": OrderStatus.SHIPPED,
    "entregue": OrderStatus.DELIVERED,
    "cancelado": OrderStatus.CANCELED,
    # It left and did not arrive: the hub has no word for the second half.
    "nao_entregue": OrderStatus.SHIPPED,
    "não entregue": OrderStatus.SHIPPED,
}
AUTHORISED = {"6", "7"}  # Autorizada, Emitida DANFE
DEAD = {"3", "10"}  # Cancelada, Denegada
SHIPPING_KNOWN = (
    "codigo_rastreamento",
    "url_rastreamento",
    "data_envio",
    "data_entrega",
)


def read_status(payload: Payload) -> OrderStatus:
    theirs = payload.text("situacao")
    if theirs.lower() not in STATUSES:
        raise Unreadable(f"{payload.path}.situacao: {theirs!r} is new to us")
    return STATUSES[theirs.lower()]


def is_authorised(payload: Payload) -> bool:
    return payload.text("situacao") in AUTHORISED


def is_dead(payload: Payload) -> bool:
    """It will never be authorised."""
    return payload.text("situacao") in DEAD


def read_fulfilment(payload: Payload) -> FulfilmentRecord:
    """From {"pedido", "nota_fiscal" or null, "link"}: the order, its invoice if that is
    authorised, and where to see it."""
    order = payload.one("pedido")
    invoice = tracking = None
    if payload.data.get("nota_fiscal") is not None:
        invoice = _read_invoice(payload.one("nota_fiscal"), payload.text("link"))
    if any(not order.is_blank(name) for name in SHIPPING_KNOWN):
        tracking = _read_tracking(order)
    return FulfilmentRecord(
        status=_status_told(read_status(order), invoice, tracking),
        hub_id=order.text("numero_ecommerce"),
        external_id=order.text("id"),
        invoice=invoice,
        tracking=tracking,
    )


def _status_told(
    status: OrderStatus, invoice: InvoiceRecord | None, tracking: TrackingRecord | None
) -> OrderStatus:
    """In the hub, invoiced means that the invoice is known, and shipping informed that the
    tracking is; at the ERP people may say both before that."""
    if status is OrderStatus.SHIPPING_INFORMED and tracking is None:
        status = OrderStatus.INVOICED
    if status is OrderStatus.INVOICED and invoice is None:
        return OrderStatus.PICKING
    return status


def _read_invoice(payload: Payload, link: str) -> InvoiceRecord:
    return InvoiceRecord(
        key=compact(payload.text("chave_acesso")),
        number=payload.text("numero"),
        series=payload.text("serie"),
        issued_at=_moment(payload, "data_emissao"),
        link=link,
    )


def _read_tracking(payload: Payload) -> TrackingRecord:
    return TrackingRecord(
        company=payload.optional_text("nome_transportador"),
        method=payload.optional_text("forma_frete"),
        code=payload.optional_text("codigo_rastreamento"),
        url=payload.optional_text("url_rastreamento"),
        shipped_at=_moment(payload, "data_envio"),
        delivered_at=_moment(payload, "data_entrega"),
    )


def _moment(payload: Payload, key: str) -> datetime | None:
    if payload.is_blank(key):
        return None
    return read_value(payload.data[key], _to_moment, f"{payload.path}.{key}")


def _to_moment(value: Any) -> datetime:
    """`dd/mm/yyyy` or `dd/mm/yyyy hh:mm:ss`, local time."""
    if not isinstance(value, str):
        raise TypeError
    shape = DATE_TIME if " " in value.strip() else DATE
    return datetime.strptime(value.strip(), shape).replace(tzinfo=LOCAL).astimezone(UTC)
