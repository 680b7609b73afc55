"""Bodies as partners send them and the hub answers them, for the documentation to show. The
tests send each of them."""

from typing import Any

from connectors.records import Document

PRODUCT: Document = {
    "sku": "CAM-AZ",
    "name": "Camiseta azul",
    "brand": "Exemplo",
    "ncm": "61091000",
    "price": 79.9,
    "special_price": 59.9,
    "description": "<p>Camiseta de algodão.</p>",
    "warranty_time": 3,
    "dimension": {"length": 30, "width": 25, "height": 3, "weight": 0.2},
    "categories": [{"name": "Roupas > Camisetas"}],
    "photos": [{"url": "https://loja.example.com.br/cam-az.jpg", "order": 1}],
    "variations": [
        {
            "sku": "CAM-AZ-P",
            "ean": "7891000100103",
            "quantity": 10,
            "attributes": [
                {"code": "size", "label": "Tamanho", "value": {"code": "p", "label": "P"}}
            ],
        }
    ],
}
STOCK: Document = {"action": "update", "quantity": 12}
ORDER: Document = {
    "original_id": "2000011000000001",
    "channel": "MercadoLivre",
    "status": "approved",
    "total": 74.8,
    "subtotal": 59.9,
    "shipping": 14.9,
    "receiver_name": "Ana",
    "receiver_lastname": "Souza",
    "receiver_address": "Rua das Flores",
    "receiver_address_number": "10",
    "receiver_city": "Curitiba",
    "receiver_state": "PR",
    "receiver_zipcode": "80010-000",
    "payer_name": "Ana",
    "payer_lastname": "Souza",
    "payer_cpf": "52998224725",
    "items": [{"sku": "CAM-AZ-P", "name": "Camiseta azul P", "quantity": 1, "price": 59.9}],
    "payments": [{"payment_type": "credit", "payment_installments": 2, "payment_total": 74.8}],
}
# A report on an order that came with a shipment takes that shipment's id as well.
INVOICE: Document = {
    "status": "invoiced",
    "shipments": [
        {
            "nfe_key": "35250412345678000195550010000012341000012342",
            "nfe_number": "1234",
            "nfe_serie": "1",
            "nfe_date": "2025-04-27T12:30:39.691Z",
            "nfe_link": "https://erp.example.com.br/nfe/1234.xml",
        }
    ],
}
NOTICE: dict[str, Any] = {
    "type": "orders",
    "id": "606a7d2de2dc666bac3206b5",
    "action": "updated",
    "user": 129,
    "changes": {"status": True, "stock": False, "price": False},
}
