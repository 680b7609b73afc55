"""An event of each kind as its receiver will see it, before there is one: from what the store has,
else from a shop that does not exist."""

from django.utils import timezone

from catalog.events import with_facts, write_flat_product
from connectors.messages.hooks import check_hook, events_of, write_event
from connectors.models import Activation, Event
from connectors.records import Document, OrderStatus
from connectors.spec import Hook
from orders.events import STEPS, write_event_order, write_flat_order
from orders.models import Order
from orders.wire import Parts

STATUS_OF = {hook: status for status, hook in STEPS.items()}
LEVELS: Document = {
    "sku": "CAM-AZ-P",
    "parent_sku": "CAM-AZ",
    "name": "Camiseta azul P",
    "price": 79.9,
    "special_price": 59.9,
    "quantity": 12,
}
PRODUCT: Document = LEVELS | {
    "ean": "7891000100103",
    "brand": "Exemplo",
    "model": None,
    "ncm": "61091000",
    "link": None,
    "short_description": None,
    "description": "<p>Camiseta de algodão.</p>",
    "length": 30,
    "width": 25,
    "height": 3,
    "weight": 0.2,
    "categories_text": "Roupas > Camisetas",
    "attributes_text": "Tamanho: P",
    "image": "https://loja.example.com.br/cam-az.jpg",
    "images_text": "https://loja.example.com.br/cam-az.jpg",
    "preparation_days": 2,
}
ORDER: Document = {
    "original_id": "2000011000000001",
    "channel": "MercadoLivre",
    "total": 74.8,
    "subtotal": 59.9,
    "shipping": 14.9,
    "payer_name": "Ana",
    "payer_lastname": "Souza",
    "payer_email": "ana@example.com.br",
    "receiver_name": "Ana",
    "receiver_lastname": "Souza",
    "receiver_city": "Curitiba",
    "receiver_state": "PR",
    "items_sku": "CAM-AZ-P",
    "items_name": "Camiseta azul P",
    "items_quantity": "1",
    "items_price": "59.9",
    "items_text": "1 × CAM-AZ-P Camiseta azul P (R$ 59,90)",
    "payment_type": "credit",
    "payment_installments": 2,
    "payment_total": 74.8,
    "payments_text": "credit R$ 74,80",
    "nfe_key": "35250412345678000195550010000012341000012342",
    "nfe_number": "1234",
    "nfe_serie": "1",
    "shipping_company": "Correios",
    "track_code": "AA123456785BR",
}


def sample_of(activation: Activation, hook: Hook) -> Document:
    """Raises `NotAllowed` where the connector may not hear of it."""
    check_hook(activation, hook)
    event = events_of(activation, hook, None).first() or _made_up(activation, hook)
    return write_event(event, activation)


def _made_up(activation: Activation, hook: Hook) -> Event:
    data = (
        _of_order(activation, hook) if hook.startswith("order.") else _of_product(activation, hook)
    )
    return Event(public_id="sample", hook=hook, at=timezone.now(), data=data)


def _of_order(activation: Activation, hook: Hook) -> Document:
    status = STATUS_OF.get(hook)
    orders = Order.objects.filter(
        store=activation.store_id, **({"status": status} if status else {})
    )
    order = orders.with_everything().order_by("-pk").first()
    if order is not None:
        return write_event_order(order, Parts.of(order)) | {"previous_status": None}
    invented = Order(
        store=activation.store, source=activation, status=status or OrderStatus.APPROVED
    )
    return write_flat_order(invented, Parts([], [], [], [])) | ORDER | {"previous_status": None}


def _of_product(activation: Activation, hook: Hook) -> Document:
    products = with_facts(activation.store.products.filter(modification__store=activation.store))
    product = products.order_by("-modification__at").first()
    if product is not None:
        return write_flat_product(product, hook)
    return PRODUCT if hook in (Hook.PRODUCT_CREATED, Hook.PRODUCT_UPDATED) else LEVELS
