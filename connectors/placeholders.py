"""Texts that a person writes and the portal fills in: `Olá, {cliente}!`."""

import re
from collections.abc import Callable, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from connectors.spec import Setting

PLACE = re.compile(r"\{(\w+)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """What has no value stays as it is written. Values are not read again: a buyer may be called
    {link}."""
    return PLACE.sub(lambda found: values.get(found[1], found[0]), text)


def validators_of(setting: Setting) -> list[Callable[[str], None]]:
    """What a form checks of the setting's text before it is kept."""

    def check(text: str) -> None:
        allowed = ", ".join(f"{{{name}}}" for name in setting.placeholders)
        unknown = [name for name in PLACE.findall(text) if name not in setting.placeholders]
        if unknown:
            raise ValidationError(
                _("{%(name)s} não existe. Pode conter: %(allowed)s.")
                % {"name": unknown[0], "allowed": allowed}
            )
        if re.search(r"[{}]", PLACE.sub("", text)):
            raise ValidationError(
                _("Uma chave { ou } está sozinha. Pode conter: %(allowed)s.") % {"allowed": allowed}
            )

    return [check] if setting.placeholders else []
