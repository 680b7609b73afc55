"""Texts longer than the ERP takes (platform-apis.md, section 3.6): it refuses them. Cut where the
beginning says enough, else refused by us, with the field's name."""

from django.utils.translation import gettext as _

from connectors.errors import Rejected
from connectors.trouble.causes import INVALID_VALUE


def cut(text: str, size: int) -> str:
    """For names and streets."""
    return text[:size].strip()


def optional(text: str, size: int) -> str:
    """For what is wrong when cut, such as an address of e-mail, and can be done without."""
    return text if len(text) <= size else ""


def whole(name: str, text: str, size: int) -> str:
    """For what decides where the goods go, or what taxes are due. `name` is the hub's field.
    Raises `Rejected`."""
    if len(text) > size:
        raise Rejected(
            _("O campo %(name)s do pedido tem mais do que os %(size)d caracteres que o ERP aceita.")
            % {"name": name, "size": size},
            cause=INVALID_VALUE,
        )
    return text
