"""Orders as the marketplaces in front of the hub would place them (pluggto-api.md, section 6)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

Json = dict[str, Any]


class Channel(NamedTuple):
    name: str
    seller: str
    sale_cnpj: str
    payment_cnpj: str
    carrier: str


class Place(NamedTuple):
    """Marketplaces write the state short or in full, and the zip code with or without hyphen."""

    street: str
    neighborhood: str
    city: str
    state: str
    country: str
    zipcode: str
    area: str


CHANNELS = (
    Channel("MercadoLivre", "1074689620", "03007331000141", "10573521000191", "Mercado Envios"),
    Channel("Shopee", "482910377", "35635824000112", "35635824000112", "Shopee Xpress"),
    Channel("MagazineLuiza", "lojaexemplo", "47960950000121", "47960950000121", "Magalu Entregas"),
    Channel("Amazon", "A2EXEMPLO7BR9", "15436940000103", "15436940000103", "Correios"),
)
PLACES = (
    Place("Rua Augusta", "Consolação", "São Paulo", "SP", "BR", "01305-000", "11"),
    Place("Rua Ascendino Barbosa", "Centro", "Itariri", "São Paulo", "Brasil", "11760000", "13"),
    Place("Rua XV de Novembro", "Centro", "Curitiba", "PR", "BR", "80020-310", "41"),
    Place("Avenida Boa Viagem", "Boa Viagem", "Recife", "Pernambuco", "Brasil", "51011000", "81"),
    Place("Rua da Bahia", "Lourdes", "Belo Horizonte", "MG", "BR", "30160-012", "31"),
    Place("Avenida Getúlio Vargas", "Menino Deus", "Porto Alegre", "RS", "BR", "90150-001", "51"),
)
FIRST_NAMES = ("Ana", "João", "Conceição", "Carlos", "Márcia", "Luís", "Helena", "Sebastião")
LAST_NAMES = ("da Silva", "Souza", "Araújo", "de Oliveira", "Gonçalves", "D'Ávila", "Assunção")
PAYMENTS = (
    ("credit_card", "visa", 3), ("credit", "master", 1), ("voucher", "pix", 1),
    ("ticket", "boleto", 1),
)  # fmt: skip
FREIGHTS = (0, 12.9, 18.45, 24.99)

HEAD = (
    "id status sub_status order_id original_id external channel channel_account"
    " channel_account_id user_id user_client_id input_service currency created created_by modified"
    " modified_by approved_date timestamp ack deleted auto_reserve stock_code price_code comission"
    " total subtotal shipping discount discount_description tax total_paid seller_shipment_cost"
    " delivery_type delivery_description expected_send_date expected_delivery_date"
    " sale_intermediary payment_intermediary intermediary_seller_id sla_ship sla_delivery"
    " label_printed"
)
PERSON = (
    "name lastname email cpf address address_number address_complement address_reference"
    " additional_info neighborhood city state country zipcode phone_area phone phone2_area phone2"
    " schedule_date schedule_period"
)
PAYER_ONLY = "fullname gender cnpj razao_social ie im tax_id document company_name billing_info_id"
FLAGS = (
    "invoicing_informed invoicing_accepted shipping_informed shipping_accepted delivery_informed"
    " delivery_accepted"
)
LISTS = "other_ids status_history substatus_history log_history log_permanent"
TAGS = (
    "has_invoice_key has_invoice_xml has_invoice_pdf has_invoice_number has_invoice_label"
    " has_payment_form has_track has_track_url has_label has_category"
)
ITEM = (
    "id sku original_sku name quantity price total discount tax external supplier_id stock_code"
    " place_code price_code location shipping_cost photo_url category category_standard"
)
VARIATION = "id sku ean name external photo_url"
PAYMENT = (
    "id payment_type payment_method payment_installments payment_total payment_quota"
    " payment_interest payment_additional_info external payment_card_brand"
    " payment_authorization_code payment_acquirer_id"
)
SHIPMENT = (
    "id external quotation_id quote shipping_method_id description comment error_message"
    " shipping_company shipping_method track_code track_url status estimate_delivery_date"
    " date_shipped date_delivered date_cancelled expected_collection_date buffering_date nfe_key"
    " nfe_link nfe_number nfe_serie nfe_date cfops label_type printed"
)
SHIPMENT_LISTS = "freight shipping_items documents issues"
LABEL = "plp logotipo sender_name sender_address sender_city sender_state sender_zipcode"


def nulls(names: str, form: str = "{}") -> Json:
    return {form.format(name): None for name in names.split()}


def empty_lists(names: str) -> Json:
    return {name: [] for name in names.split()}


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id(random: Random) -> str:
    return f"{random.getrandbits(96):024x}"


def make_order(random: Random, items: list[Json], status: str, now: datetime) -> Json:
    """A full order, every field there. It has no id yet: that is the hub's to give."""
    channel, buyer = random.choice(CHANNELS), _make_buyer(random)
    lines = [_make_item(item) for item in items]
    subtotal = round(sum(line["total"] for line in lines), 2)
    shipping = random.choice(FREIGHTS)
    total = round(subtotal + shipping, 2)
    original_id = str(2_000_011_000_000_000 + random.randrange(10**9))
    return {
        "tags": nulls(TAGS),
        "commission": {
            "fixed": 0, "tax": 16.5, "total_charged": round(subtotal * 0.165, 2), "comment": None,
        },
        **empty_lists(LISTS),
        **nulls(HEAD),
        **nulls(FLAGS),
        **nulls(FLAGS, "{}_date"),
        **buyer,
        "status": status,
        "original_id": original_id,
        "channel": channel.name,
        "channel_account": "LOJA EXEMPLO",
        "currency": "BRL",
        "created": iso(now),
        "modified": iso(now),
        "approved_date": None if status == "pending" else iso(now),
        "timestamp": int(now.timestamp()),
        "ack": False,
        "auto_reserve": True,
        "total": total,
        "subtotal": subtotal,
        "shipping": shipping,
        "discount": 0,
        "total_paid": total,
        "delivery_type": "standard",
        "expected_send_date": iso(now + timedelta(days=2)),
        "expected_delivery_date": iso(now + timedelta(days=8)),
        "sale_intermediary": channel.sale_cnpj,
        "payment_intermediary": channel.payment_cnpj,
        "intermediary_seller_id": channel.seller,
        "status_history": [{"status": status}],
        "items": lines,
        "payments": [_make_payment(random, total)],
        "shipments": [
            make_shipment(random) | {
                "shipping_company": channel.carrier,
                "shipping_method": "Normal",
                "estimate_delivery_date": iso(now + timedelta(days=8)),
            }
        ],
    }  # fmt: skip


def make_shipment(random: Random) -> Json:
    return {
        **nulls(SHIPMENT),
        **empty_lists(SHIPMENT_LISTS),
        "label_info": nulls(LABEL),
        "id": new_id(random),
    }


def _make_item(wanted: Mapping[str, Any]) -> Json:
    """What was ordered, with every field of an item around it."""
    price, quantity = float(wanted["price"]), int(wanted["quantity"])
    return {
        **nulls(ITEM),
        "name": f"Produto {wanted['sku']}",
        "original_sku": wanted["sku"],
        "attributes": [],
        "commission": {"fixed": 0, "tax": 16.5, "total_charged": None, "comment": None},
        **wanted,
        "variation": {
            **nulls(VARIATION), "attributes": [], **(wanted.get("variation") or {}),
        },
        "quantity": quantity,
        "price": price,
        "total": round(price * quantity, 2),
    }  # fmt: skip


def _make_payment(random: Random, total: float) -> Json:
    kind, method, installments = random.choice(PAYMENTS)
    return {
        **nulls(PAYMENT),
        "id": new_id(random),
        "payment_type": kind,
        "payment_method": method,
        "payment_installments": str(installments),
        "payment_total": total,
        "payment_quota": round(total / installments, 2),
    }


def _make_buyer(random: Random) -> Json:
    """Receiver and payer: one person, who may live in any of the places."""
    place, cpf = random.choice(PLACES), make_cpf(random)
    person = {
        "name": random.choice(FIRST_NAMES),
        "lastname": random.choice(LAST_NAMES),
        "email": f"{random.getrandbits(40):x}@marketplace.example",
        "cpf": cpf,
        "address": place.street,
        "address_number": str(random.randrange(1, 3000)),
        "address_complement": random.choice(("", "Apto 42", "Bloco B", "Fundos")),
        "neighborhood": place.neighborhood,
        "city": place.city,
        "state": place.state,
        "country": place.country,
        "zipcode": place.zipcode,
        "phone_area": place.area,
        "phone": f"9{random.randrange(10**8):08}",
    }
    return {
        **nulls(PERSON, "receiver_{}"),
        **nulls(PERSON, "payer_{}"),
        **nulls(PAYER_ONLY, "payer_{}"),
        **{f"receiver_{name}": value for name, value in person.items()},
        **{f"payer_{name}": value for name, value in person.items()},
        "payer_fullname": f"{person['name']} {person['lastname']}",
        "payer_tax_id": cpf,
    }


def make_cpf(random: Random) -> str:
    """Eleven digits whose last two check the others."""
    digits = [random.randrange(10) for _ in range(9)]
    for length in (9, 10):
        total = sum(
            digit * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=True)
        )
        digits.append(total * 10 % 11 % 10)
    return "".join(map(str, digits))
