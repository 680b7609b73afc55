"""Where a carrier shows a parcel, and whether its code can be right (domain.md, section 4.5)."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from orders.models import Shipment

WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")


@dataclass(frozen=True)
class Carrier:
    """Only those whose address several public programs agree on."""

    names: tuple[str, ...]
    template: str


CARRIERS = (
    Carrier(
        ("correios", "ect", "sedex", "pac"),
        "https://rastreamento.correios.com.br/app/index.php?objetos={code}",
    ),
)


def tracking_link(shipment: Shipment) -> str:
    """What the platform said goes before what we know; only what a browser may follow safely."""
    if urlsplit(shipment.track_url).scheme == "https":
        return shipment.track_url
    code = shipment.track_code.strip()
    words = set(
        re.findall(r"\w+", f"{shipment.shipping_company} {shipment.shipping_method}".lower())
    )
    for carrier in CARRIERS:
        if code and words & set(carrier.names):
            return carrier.template.format(code=quote(code, safe=""))
    return ""


def is_postal(code: str) -> bool:
    """It has the shape of a postal parcel's number."""
    return bool(S10.fullmatch(code.strip().upper()))


def postal_digit_fits(code: str) -> bool:
    """Of a code with that shape. Some in use fail: nobody is stopped for it."""
    digits = code.strip()[2:10]
    rest = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11
    return str({10: 0, 11: 5}.get(11 - rest, 11 - rest)) == code.strip()[10]
