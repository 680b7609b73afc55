"""The hub's own JSON: every field that its API names (pluggto-api.md, sections 4 to 6).

Three of us speak it: the API that we serve, the store contract that platforms may serve to us,
and the client of the upstream hub. Each table gives a field's kind, in the order in which the
hub writes them. `read` takes what arrived and keeps unknown fields as they are; `write` answers
with every field of the table, absent ones as null or [].

In a read `Document`, values are ready for a JSON column: money is a string of digits, never a
float, and a time is ISO 8601 in UTC. Only inside a record's parts (`PARTS`) a number is a number.
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from connectors.payload import (
    Payload,
    read_value,
    to_decimal,
    to_flag,
    to_moment,
    to_storable,
    to_text,
    to_whole,
)
from connectors.records import Document, InvoiceRecord, TrackingRecord


class Kind(Enum):
    TEXT = "text"
    MONEY = "money"  # BRL; also other exact numbers: percentages, kilograms, centimetres
    WHOLE = "whole"
    FLAG = "flag"
    MOMENT = "moment"
    LIST = "list"
    OBJECT = "object"
    ANY = "any"  # clients disagree about its type: kept as it came


Table = dict[str, Kind]


def table(**fields: str) -> Table:
    """The names that have each kind."""
    return {name: Kind(kind) for kind, names in fields.items() for name in names.split()}


def moment_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as the hub writes every date."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def decimal_text(number: Decimal) -> str:
    return format(number.normalize() + 0, "f")  # and no -0


def as_number(value: Decimal | str | None) -> int | float | None:
    """A JSON number: the hub's clients do arithmetic on it."""
    if value is None:
        return None
    number = Decimal(value)
    return int(number) if number == number.to_integral_value() else float(number)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return list(to_storable(value))


def _object(value: Any) -> dict[str, Any]:
    if value == []:  # PHP's empty array
        return {}
    if not isinstance(value, dict):
        raise TypeError
    return dict(to_storable(value))


READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: to_text,
    Kind.MONEY: lambda value: decimal_text(to_decimal(value)),
    Kind.WHOLE: to_whole,
    Kind.FLAG: to_flag,
    Kind.MOMENT: lambda value: moment_text(to_moment(value)),
    Kind.ANY: to_storable,
    Kind.LIST: _list,
    Kind.OBJECT: _object,
}
# As .NET and MySQL write a date that nobody set.
NO_DATE = re.compile(
    r"(?:0001-01-01|0000-00-00)(?:[T ]00:00:00(?:\.0+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
# Sent inside bodies by clients that put their authentication everywhere.
NOT_DATA = {"access_token", "grant_type", "client_id", "client_secret", "username", "password"}


def read(payload: Payload, fields: Table, without: Collection[str] = ()) -> Document:
    """What arrived, converted; only the fields that were sent. An empty text means null, except
    for a text, and so does what stands for no date in typed programs. Raises `Unreadable` with the
    place. Nothing is wrong with fields that the reader does `without`."""
    document: Document = {}
    for name, value in payload.data.items():
        if name in NOT_DATA or name in without:
            continue
        if name not in fields:
            read_value(name, to_storable, payload.path)
        kind, place = fields.get(name, Kind.ANY), f"{payload.path}.{name}"
        if value is None or _means_null(value, kind):
            document[name] = [] if kind is Kind.LIST else None
        else:
            document[name] = read_value(value, READERS[kind], place)
            if name in PARTS and kind in (Kind.LIST, Kind.OBJECT):
                document[name] = _with_numbers(document[name], PARTS[name], place)
    return document


def _means_null(value: Any, kind: Kind) -> bool:
    if kind is Kind.MOMENT and isinstance(value, str) and NO_DATE.fullmatch(value.strip()):
        return True
    return value == "" and kind not in (Kind.ANY, Kind.TEXT)


def _with_numbers(part: Any, names: Collection[str], place: str) -> Any:
    """The same, with a number where a number came as a text."""
    if isinstance(part, list):
        return [_with_numbers(each, names, f"{place}[{i}]") for i, each in enumerate(part)]
    members = Payload(part, place)
    return {
        name: as_number(members.optional_money(name)) if name in names else value
        for name, value in members.data.items()
    }


def with_own_external(payload: Payload, client_id: str | None) -> Payload:
    """`external` as a text. Clients send it so, or as the map of all clients' (section 6.4): then
    it is their own member of it, or was not spoken of."""
    external = payload.data.get("external")
    if external == []:  # PHP's empty map
        external = {}
    if not isinstance(external, dict):
        return payload
    data = {name: value for name, value in payload.data.items() if name != "external"}
    if client_id in external:
        data["external"] = external[client_id]
    return Payload(data, payload.path)


def write(document: Document, fields: Table) -> dict[str, Any]:
    """Every field of the table in its order, then the unknown ones that were kept."""
    answer = {name: _write(document.get(name), kind) for name, kind in fields.items()}
    for name, value in document.items():
        if name not in answer:
            answer[name] = value
    return answer


def _write(value: Any, kind: Kind) -> Any:
    if value is None:
        return [] if kind is Kind.LIST else None
    if kind is Kind.MONEY:
        return as_number(value)
    if isinstance(value, datetime):
        return moment_text(value)
    return value


def ordered(names: str, kinds: Table) -> Table:
    """The table in the order of `names`; a name without a kind is a text."""
    return {name: kinds.get(name, Kind.TEXT) for name in names.split()}


# -- Products (section 4.6) ---------------------------------------------------------------------
PRODUCT = ordered(
    "id sku name external type status ean ean_not_mandatory ncm nbm cest isbn origin quantity"
    " reserved price special_price cost short_description description brand model warranty_time"
    " warranty_message link available handling_time manufacture_time dimension real_dimension"
    " categories attributes photos price_table stock_table stock_code price_code variations"
    " supplier_id user_id created modified created_by modified_by timestamp inspected_fields raw",
    table(
        money="price special_price cost",
        whole="quantity reserved warranty_time handling_time manufacture_time timestamp",
        any="available origin",
        flag="ean_not_mandatory",
        moment="created modified",
        list="categories attributes photos price_table stock_table variations",
        object="dimension real_dimension inspected_fields raw",
    ),
)
# The numbers inside objects and lists of objects, by the name of the field that holds them.
PARTS: dict[str, Collection[str]] = {
    "dimension": {"length", "width", "height", "weight"},
    "real_dimension": {"length", "width", "height", "weight"},
    "price_table": {"percentage", "price", "special_price", "maximum_price", "minimum_price"},
    "stock_table": {
        "priority", "quantity", "reserved", "price", "special_price", "handling_time",
    },
    "commission": {"fixed", "tax", "total_charged"},
    "shipping_items": {"quantity"},
}  # fmt: skip
# What makes two elements of a product's lists the same, besides their id. Clients send their lists
# again without ids at every save; without this, each save would double them.
NATURAL_KEYS: dict[str, tuple[str, ...]] = {
    "categories": ("name",),
    "attributes": ("code",),
    "photos": ("external", "url"),
    "price_table": ("code",),
    "stock_table": ("code",),
}
# What the hub itself says about a product; a client that sends its copy back changes nothing.
PRODUCT_COMPUTED = {
    "id", "reserved", "user_id", "created", "modified", "created_by", "modified_by", "timestamp",
    "inspected_fields",
}  # fmt: skip

# -- Orders (section 6) -------------------------------------------------------------------------
_ADDRESS = (
    "{0}_address {0}_address_number {0}_address_complement {0}_address_reference"
    " {0}_additional_info {0}_neighborhood {0}_city {0}_state {0}_country {0}_zipcode"
    " {0}_phone_area {0}_phone {0}_phone2_area {0}_phone2 {0}_schedule_date {0}_schedule_period"
)
_RECEIVER = "receiver_name receiver_lastname receiver_email receiver_cpf " + _ADDRESS.format(
    "receiver"
)
_PAYER = (
    "payer_name payer_lastname payer_fullname payer_gender payer_email payer_cpf payer_cnpj"
    " payer_razao_social payer_ie payer_im payer_tax_id payer_document payer_company_name"
    " payer_billing_info_id " + _ADDRESS.format("payer")
)
_FLOW_FLAGS = (
    "invoicing_informed invoicing_accepted shipping_informed shipping_accepted"
    " delivery_informed delivery_accepted sla_ship sla_delivery label_printed"
)
ORDER = ordered(
    "id status sub_status order_id original_id external other_ids channel channel_account"
    " channel_account_id user_id user_client_id input_service currency created created_by modified"
    " modified_by approved_date timestamp ack deleted auto_reserve stock_code price_code tags"
    " commission comission status_history substatus_history log_history log_permanent"
    " total subtotal shipping discount discount_description tax total_paid seller_shipment_cost "
    + _RECEIVER + " " + _PAYER +
    " email_nfe delivery_type delivery_description expected_send_date expected_delivery_date"
    " sale_intermediary payment_intermediary intermediary_seller_id purchased payment_method "
    + " ".join(f"{flag} {flag}_date" for flag in _FLOW_FLAGS.split()) +
    " marked_as_shipped marked_as_delivered items payments shipments",
    table(
        money="total subtotal shipping discount tax total_paid seller_shipment_cost comission",
        whole="timestamp",
        flag="ack deleted auto_reserve",
        moment="created modified approved_date expected_send_date expected_delivery_date purchased"
        " receiver_schedule_date payer_schedule_date "
        + " ".join(f"{flag}_date" for flag in _FLOW_FLAGS.split()),
        list="other_ids status_history substatus_history log_history log_permanent items payments"
        " shipments",
        object="tags commission",
        any="order_id marked_as_shipped marked_as_delivered " + _FLOW_FLAGS,
    ),
)  # fmt: skip
ORDER_COMPUTED = {
    "id", "order_id", "user_id", "created", "created_by", "modified", "modified_by",
    "approved_date", "timestamp", "tags", "status_history", "deleted",
}  # fmt: skip

ITEM = ordered(
    "id sku original_sku name quantity price total discount tax external supplier_id stock_code"
    " place_code price_code location shipping_cost photo_url category category_standard attributes"
    " commission variation",
    table(
        money="price total discount tax shipping_cost",
        whole="quantity",
        list="attributes",
        object="commission variation",
    ),
)
ITEM_VARIATION = ordered("id sku ean name external photo_url attributes", table(list="attributes"))
PAYMENT = ordered(
    "id payment_type payment_method payment_installments payment_total payment_quota"
    " payment_interest payment_additional_info external payment_card_brand"
    " payment_authorization_code payment_acquirer_id",
    table(any="payment_installments", money="payment_total payment_quota payment_interest"),
)
SHIPMENT = ordered(
    "id external quotation_id quote shipping_method_id description comment error_message"
    " shipping_company shipping_method track_code track_url freight status"
    " estimate_delivery_date date_shipped date_delivered date_cancelled expected_collection_date"
    " buffering_date nfe_key nfe_link nfe_number nfe_serie nfe_date cfops shipping_items documents"
    " issues label_type printed label_info",
    table(
        moment="estimate_delivery_date date_shipped date_delivered date_cancelled"
        " expected_collection_date buffering_date nfe_date",
        list="freight shipping_items documents issues",
        object="label_info",
        any="quote printed",
    ),
)
INVOICE_FIELDS = ("nfe_key", "nfe_number", "nfe_serie", "nfe_date", "nfe_link", "cfops")
TRACKING_FIELDS = (
    "shipping_company", "shipping_method", "track_code", "track_url", "estimate_delivery_date",
    "date_shipped", "date_delivered", "expected_collection_date",
)  # fmt: skip


def write_shipment(invoice: InvoiceRecord | None, tracking: TrackingRecord | None) -> Document:
    """What is known of them."""
    known: Document = {}
    if invoice:
        known |= {
            "nfe_key": invoice.key,
            "nfe_number": invoice.number,
            "nfe_serie": invoice.series,
            "nfe_date": moment_text(invoice.issued_at),
            "nfe_link": invoice.link,
            "cfops": invoice.cfops,
        }
    if tracking:
        known |= {
            "shipping_company": tracking.company,
            "shipping_method": tracking.method,
            "track_code": tracking.code,
            "track_url": tracking.url,
            "date_shipped": moment_text(tracking.shipped_at),
            "date_delivered": moment_text(tracking.delivered_at),
        }
    return {name: value for name, value in known.items() if value}
