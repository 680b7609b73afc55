"""What can be told of an invoice's key by looking at it (domain.md, 4.2)."""

from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from connectors.fiscal import cnpj_is_valid, nfe_key_is_valid
from connectors.payload import LOCAL
from orders.models import Order, OrderWord

MODELS = {"55", "65"}  # NF-e and NFC-e; other keys of 44 characters are no sale's
STATES = {
    "11", "12", "13", "14", "15", "16", "17", "21", "22", "23", "24", "25", "26", "27", "28", "29",
    "31", "32", "33", "35", "41", "42", "43", "50", "51", "52", "53",
}  # fmt: skip
CPF_PADDING = "000"


@dataclass
class Look:
    """What is certainly wrong with a key, and what a person should look at again."""

    wrong: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def number_in(key: str) -> str:
    return str(int(key[25:34]))


def series_in(key: str) -> str:
    return str(int(key[22:25]))


def look_at(key: str, order: Order) -> Look:
    """Takes the compact form."""
    look = Look(faults_of(key))
    if look.wrong:
        return look
    if key[6:20] != order.store.cnpj:
        look.doubts.append(_("A nota foi emitida por outro CNPJ que o da loja."))
    if _months_apart(key, order.created_at.astimezone(LOCAL).date()) > 1:
        look.doubts.append(_("O mês da nota está longe do mês do pedido."))
    look.doubts += doubles_of(key, order)
    return look


def faults_of(key: str) -> list[str]:
    if not nfe_key_is_valid(key):
        return [_("A chave tem 44 caracteres e o último confere os outros: confira.")]
    cnpj, faults = key[6:20], []
    if key[20:22] not in MODELS:
        faults.append(_("Esta chave não é de NF-e nem de NFC-e."))
    if key[:2] not in STATES:
        faults.append(_("Os dois primeiros números da chave não são de nenhum estado."))
    if not cnpj.startswith(CPF_PADDING) and not cnpj_is_valid(cnpj):
        faults.append(_("O CNPJ dentro da chave não existe."))
    return faults


def doubles_of(key: str, order: Order) -> list[str]:
    """Of a key that is one. Among the words by which orders are found: these have an index."""
    others = OrderWord.objects.filter(store=order.store_id, word=key).exclude(order=order.pk)
    return [_("Outro pedido da loja já tem esta nota.")] if others.exists() else []


def _months_apart(key: str, day: date) -> int:
    year, month = 2000 + int(key[2:4]), int(key[4:6])
    return abs((year - day.year) * 12 + month - day.month)
