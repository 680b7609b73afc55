"""Bodies in which every field has a value of its kind."""

from typing import Any

from connectors.hub import wire
from connectors.hub.wire import Kind, Table

MEMBERS: dict[str, list[dict[str, Any]]] = {
    "categories": [{"name": "Roupas > Camisetas"}, {"name": "Promoção"}],
    "attributes": [
        {
            "code": "cor",
            "label": "Cor",
            "value": {"code": "az", "label": "Azul"},
            "attribute_diff": "x",
        }
    ],
    "photos": [
        {
            "url": "https://fotos.example/1.jpg",
            "name": "Frente",
            "title": "De frente",
            "order": 1,
            "external": "foto-1",
        }
    ],
    "price_table": [
        {
            "code": "ml",
            "label": "Mercado Livre",
            "action": "increase",
            "percentage": 12.5,
            "price": 89.9,
            "special_price": 79.9,
            "maximum_price": 99.999,
            "minimum_price": 60,
        }
    ],
    "stock_table": [
        {
            "code": "sp",
            "type": "own",
            "priority": 0,
            "quantity": 7,
            "reserved": 1,
            "price": 70.5,
            "special_price": None,
            "handling_time": 2,
            "price_history": [{"price": 71}],
            "specialprice_history": [],
            "stock_history": [{"quantity": 8}],
        }
    ],
}
SIZE = {"length": 32, "width": 11.5, "height": 3, "weight": 0.45}
OBJECTS: dict[str, dict[str, Any]] = {
    "dimension": SIZE,
    "real_dimension": {**SIZE, "weight": 0.4},
    "raw": {"product_id": "1", "rows": [{"a": 1.5}]},
}
NUMBERS: dict[Kind, list[Any]] = {
    Kind.MONEY: [59.905, 60, 0.01],
    Kind.WHOLE: [3, 12, 0],
    Kind.FLAG: [True],
    Kind.MOMENT: ["2025-04-27T12:30:39.691Z"],
    Kind.ANY: [1],
}


def value_of(name: str, kind: Kind, number: int) -> Any:
    if kind is Kind.TEXT:
        return f"{name} nº {number}: “ção”"
    return NUMBERS[kind][number % len(NUMBERS[kind])]


def filled(table: Table, without: set[str]) -> dict[str, Any]:
    """Every scalar field of a table, each with another value."""
    compound = (Kind.LIST, Kind.OBJECT)
    return {
        name: value_of(name, kind, number)
        for number, (name, kind) in enumerate(table.items())
        if kind not in compound and name not in without
    }


def full_product(**changes: Any) -> dict[str, Any]:
    """Every field that a client may send of a product, with two variations that have them all."""
    own = {**filled(wire.PRODUCT, wire.PRODUCT_COMPUTED), "ean": "7891234567895", "quantity": 9}
    product = {**own, **MEMBERS, **OBJECTS, "sku": "TUDO"}
    variations = [
        {**product, "sku": f"TUDO-{size}", "ean": size, "quantity": number}
        for number, size in enumerate("PG")
    ]
    return {**product, "variations": variations, **changes}
