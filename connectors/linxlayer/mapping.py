"""The Layer API's words for products (platform-apis: section 6.4) to ours."""

from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from connectors.errors import Unreadable
from connectors.payload import LOCAL, Payload, is_no, read_value, to_whole
from connectors.records import Document, ProductRecord

CLOCKS = timedelta(hours=1)  # may differ
# Nobody says in which zone a filter's time is: this covers ours and UTC.
OVERLAP = timedelta(hours=3) + CLOCKS


def write_cursor(began: datetime) -> str:
    return began.astimezone(UTC).isoformat(timespec="seconds")


def write_since(cursor: str, now: datetime) -> str:
    """The filter for what changed since; everything where there is no cursor yet, or where it lies
    far in the future: the clock was put back, and what changed meanwhile is older."""
    if not cursor or datetime.fromisoformat(cursor) > now + CLOCKS:
        return ""
    since = (datetime.fromisoformat(cursor) - OVERLAP).astimezone(LOCAL)
    return f'ModifiedDate>="{since:%Y-%m-%dT%H:%M:%S}"'


def read_sku_ids(product: Payload) -> list[int]:
    ids = product.data.get("SkusID") or []
    if not isinstance(ids, list):
        raise Unreadable(f"{product.path}.SkusID: got {type(ids).__name__}, not a list")
    return [read_value(each, to_whole, f"{product.path}.SkusID") for each in ids]


def read_product(payload: Payload, skus: list[Payload]) -> ProductRecord:
    """A product whose one SKU is all that is sold of it is a simple one, under the SKU's code;
    else its SKUs are its variations."""
    if not is_no(payload.data.get("IsDeleted")):
        raise Unreadable(_("O produto foi apagado na loja: apague-o aqui também."))
    skus = [sku for sku in skus if is_no(sku.data.get("IsDeleted"))]
    if not skus:
        raise Unreadable(f"{payload.path}.SkusID: the product has no SKU that can be sold")
    fields = _fields(payload)
    if len(skus) == 1:
        return ProductRecord(_code(skus[0]), fields | _sku_fields(skus[0], named=False))
    return ProductRecord(
        _code(payload),
        fields,
        tuple(ProductRecord(_code(sku), _sku_fields(sku)) for sku in skus),
    )


def _code(item: Payload) -> str:
    code = item.optional_text("SKU")
    if not code:
        raise Unreadable(f"{item.path}.SKU: empty")
    return code


def _fields(product: Payload) -> Document:
    texts = {
        "description": "LongDescription",
        "short_description": "ShortDescription",
        "warranty_message": "WarrantyDescription",
    }
    sent = {ours: product.optional_text(theirs) for ours, theirs in texts.items()}
    return {"name": product.text("Name")} | {name: text for name, text in sent.items() if text}


def _sku_fields(sku: Payload, *, named: bool = True) -> Document:
    fields = {"name": sku.optional_text("Name") if named else "", "ean": sku.optional_text("UPC")}
    return {name: text for name, text in fields.items() if text}
