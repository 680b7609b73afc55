"""NF-e access keys for invoices that never existed (domain.md, section 4.2)."""

from datetime import datetime
from zlib import crc32
from zoneinfo import ZoneInfo

ISSUER = "12ABC34501DE35"


def now() -> datetime:
    return datetime.now(ZoneInfo("America/Sao_Paulo")).replace(microsecond=0)


def make_key(shop: str, number: int, issued_at: datetime) -> str:
    """44 characters: São Paulo, model 55, series 1, the check digit right."""
    code = crc32(f"{shop}/{number}".encode()) % 10**8
    body = f"35{issued_at:%y%m}{ISSUER}55{1:03}{number:09}1{code:08}"
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """Modulo 11, weights 2 to 9 from the right; a letter is its ASCII code - 48."""
    total = sum((ord(char) - 48) * (2 + i % 8) for i, char in enumerate(reversed(body)))
    digit = 11 - total % 11
    return "0" if digit > 9 else str(digit)
