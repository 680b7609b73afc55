"""The parts of which the API's OpenAPI document is made: what wire.py's tables say, as JSON
Schema, and the decorator by which a view says what it takes and answers.

The document cannot differ from the tables: it is drawn from them when somebody asks for it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from connectors.hub import examples, wire
from connectors.hub.wire import Kind, Table
from connectors.records import OrderStatus
from connectors.spec import Text

Schema = dict[str, Any]
Method = TypeVar("Method", bound=Callable[..., Any])

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

# What the hub writes for each kind.
ANSWERED: dict[Kind, Schema] = {
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.MONEY: {"type": ["number", "null"]},
    Kind.WHOLE: {"type": ["integer", "null"]},
    Kind.FLAG: {"type": ["boolean", "null"]},
    Kind.MOMENT: {"type": ["string", "null"], "format": "date-time"},
    Kind.LIST: {"type": "array", "items": {}},
    Kind.OBJECT: {"type": ["object", "null"]},
    Kind.ANY: {},
}
# What it reads: clients send numbers as texts, and flags as several things.
TAKEN: dict[Kind, Schema] = {
    Kind.TEXT: {"type": ["string", "number", "null"]},
    Kind.MONEY: {"type": ["number", "string", "null"], "pattern": r"^(-?\d{1,11}(\.\d+)?)?$"},
    Kind.WHOLE: {"type": ["integer", "string", "null"], "pattern": r"^(-?\d{1,9})?$"},
    Kind.FLAG: {"enum": [True, False, 0, 1, "true", "false", "0", "1", "", None]},
    Kind.MOMENT: {
        "type": ["string", "null"],
        "examples": ["2025-04-27T12:30:39.691Z", "2025-04-27 09:30:39", "2025-04-27", ""],
    },
    Kind.LIST: {"type": ["array", "null"], "items": {}},
    Kind.OBJECT: {"type": ["object", "null"]},
    Kind.ANY: {},
}


def answered(table: Table, **parts: Schema) -> Schema:
    """An object with every field of the table, always; `parts` are those that are more."""
    properties = {name: _one(ANSWERED, name, kind) for name, kind in table.items()} | parts
    return {"type": "object", "required": list(properties), "properties": properties}


def taken(table: Table, **parts: Schema) -> Schema:
    """An object with any of the table's fields. Further ones are kept as they come."""
    properties = {name: _one(TAKEN, name, kind) for name, kind in table.items()} | parts
    return {"type": "object", "properties": properties}


def _one(kinds: dict[Kind, Schema], name: str, kind: Kind) -> Schema:
    """A field's schema; inside objects, and lists of objects, some members are numbers."""
    if name not in wire.PARTS or kind not in (Kind.OBJECT, Kind.LIST):
        return kinds[kind]
    members = {"properties": dict.fromkeys(sorted(wire.PARTS[name]), kinds[Kind.MONEY])}
    if kind is Kind.OBJECT:
        return kinds[kind] | members
    return kinds[kind] | {"items": {"type": "object"} | members}


def ref(name: str, *required: str) -> Schema:
    """The component; with `required`, these fields of it must be there."""
    component = {"$ref": f"#/components/schemas/{name}"}
    return {"allOf": [component, {"required": list(required)}]} if required else component


def each(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def wrapped(name: str) -> Schema:
    """`{"Order": {…}}`."""
    return {"type": "object", "required": [name], "properties": {name: ref(name)}}


def listed(name: str) -> Schema:
    """A page of them (pluggto-api.md, section 3)."""
    counts = {word: {"type": "integer", "minimum": 0} for word in ("total", "showing", "limit")}
    properties = {**counts, "result": each(wrapped(name))}
    return {"type": "object", "required": list(properties), "properties": properties}


STATUS: Schema = {"enum": OrderStatus.values}
EXTERNAL: Schema = {
    "type": ["string", "object", "null"],
    "description": _("O número de quem chama; com showExternal=true, o de cada cliente."),
}
_variation = {name: kind for name, kind in wire.PRODUCT.items() if name != "variations"}

_row = {
    name: wire.PRODUCT[name]
    for name in ("id", "sku", "price", "special_price", "quantity", "timestamp")
}

COMPONENTS: dict[str, Schema] = {
    "Product": answered(wire.PRODUCT, variations=each(ref("Variation"))),
    "Variation": answered(_variation),
    "ProductInput": taken(
        wire.PRODUCT,
        external={},
        variations={"type": ["array", "null"], "items": ref("VariationInput")},
    ),
    "VariationInput": taken(_variation, external={}),
    "ProductRow": answered(_row, variations=each(answered(_row))),
    "Stock": {
        "type": "object",
        "required": ["action", "quantity"],
        "properties": {
            "action": {"enum": ["update", "increase", "decrease"]},
            "quantity": TAKEN[Kind.WHOLE],
            "sku": TAKEN[Kind.TEXT],
        },
        "examples": [examples.STOCK],
    },
    "Order": answered(
        wire.ORDER,
        status=STATUS,
        external=EXTERNAL,
        items=each(ref("Item")),
        payments=each(ref("Payment")),
        shipments=each(ref("Shipment")),
    ),
    "Item": answered(wire.ITEM, variation=answered(wire.ITEM_VARIATION)),
    "Payment": answered(wire.PAYMENT),
    "Shipment": answered(wire.SHIPMENT),
    "OrderInput": taken(
        wire.ORDER,
        status=STATUS,
        external={},
        items={"type": ["array", "null"], "items": ref("ItemInput")},
        payments={"type": ["array", "null"], "items": taken(wire.PAYMENT)},
        shipments={"type": ["array", "null"], "items": taken(wire.SHIPMENT)},
    ),
    "ItemInput": taken(
        wire.ITEM,
        variation={
            "anyOf": [
                taken(wire.ITEM_VARIATION),
                {"type": "null"},
                {"type": "array", "maxItems": 0},
            ]
        },
    )
    | {"required": ["quantity"]},
    "Quote": {
        "type": "object",
        "required": ["method", "company", "delivery_type", "message", "estimative", "price"],
        "properties": {
            "estimative": {"type": "integer"},
            **{
                name: {"type": "string"}
                for name in ("method", "company", "delivery_type", "message", "price")
            },
        },
    },
    "Notice": {"type": "object", "examples": [examples.NOTICE]},
}
COMPONENTS["ProductInput"]["examples"] = [examples.PRODUCT]
COMPONENTS["OrderInput"]["examples"] = [examples.ORDER]


# -- What lists are asked for ---------------------------------------------------------------------
def asked(
    name: str, meaning: Text, schema: Any = str, *, required: bool = False
) -> OpenApiParameter:
    """One parameter of a query."""
    return OpenApiParameter(name, schema, description=meaning, required=required)


_COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
_PAGING = (
    asked("limit", _("Quantos por página, no máximo 100."), _COUNT),
    asked("page", _("A página, a partir de 1."), _COUNT),
    asked(
        "next",
        _(
            "Em vez de page: o id do último que já chegou. Leva até o fim da lista; o que veio"
            " depois dele se acha por modified."
        ),
    ),
)
_SPAN = _("AtoB: dois dias ou dois instantes com to entre eles, como 2025-04-01to2025-04-30.")
_CREATED = asked("created", _SPAN)
_ORDERING = (
    asked(
        "orderby",
        _(
            "O campo que ordena a lista. Por modified, o que muda durante a leitura volta no fim"
            " dela; com modified=AtoB, e B já passado, ela acaba."
        ),
    ),
    asked("orderdirection", _("asc ou desc."), {"enum": ["asc", "desc"]}),
)
PRODUCT_QUERY = (
    *_PAGING,
    asked("sku", _("Igual a este SKU. Qualquer outro campo do produto também se pede assim.")),
    asked("bysku", _("O produto que tem este SKU, ele mesmo ou numa variação.")),
    asked("ean", _("Igual a este EAN.")),
    asked("external", _("O número de quem chama.")),
    _CREATED,
    asked(
        "modified",
        _(
            "AtoB, como created. Acha também o produto de que só uma variação mudou, o que não o"
            " muda de lugar na ordem por modified: quem acompanha mudanças lê sem orderby, com A"
            " um minuto antes do começo da leitura anterior."
        ),
    ),
    *_ORDERING,
)
ORDER_QUERY = (
    *_PAGING,
    asked("status", _("Uma situação, ou várias com vírgulas.")),
    asked(
        "original_id", _("O número no canal. Qualquer outro campo do pedido também se pede assim.")
    ),
    asked("channel", _("O canal de venda.")),
    asked("external", _("O número de quem chama.")),
    _CREATED,
    asked(
        "modified",
        _(
            "AtoB, como created. Quem acompanha mudanças põe A um minuto antes do começo da leitura"
            " anterior: o que se grava ao mesmo tempo aparece em qualquer ordem."
        ),
    ),
    *_ORDERING,
)
SHOW_EXTERNAL = asked(
    "showExternal", _("true: external traz o número de cada cliente."), {"type": "boolean"}
)


class Description(NamedTuple):
    summary: Text
    request: dict[str, Schema] | None  # by media type
    responses: dict[int, OpenApiResponse]
    parameters: tuple[OpenApiParameter, ...]


def described(
    summary: Text,
    answers: Schema,
    *,
    status: int = 200,
    takes: Schema | None = None,
    query: tuple[OpenApiParameter, ...] = (),
    media: tuple[str, ...] = (JSON, FORM),
) -> Callable[[Method], Method]:
    """What one method of a view takes and answers. The errors and the tokens are the frame's, and
    it adds them itself."""
    description = Description(
        summary,
        dict.fromkeys(media, takes) if takes else None,
        {status: OpenApiResponse(answers)},
        query,
    )

    def describe(method: Method) -> Method:
        vars(method)["described"] = description
        return method

    return describe
