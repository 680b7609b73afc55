"""How every list of the admin shows what they all have: an integration, a moment, a long text.

Two lines at most, and cut where the rest is in the title: a row stays a row.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from connectors.models import Activation

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# A date says more than so many days.
COUNTED_DAYS = timedelta(days=30)
NARROW, WIDE = "11rem", "17rem"


class Labelled(tuple[str, Any]):
    """What a list shows as a coloured label: its colour's name, and its text. A page of its own
    shows the text."""

    __slots__ = ()

    def __new__(cls, name: str, text: Any) -> "Labelled":
        return super().__new__(cls, (name, text))

    def __str__(self) -> str:
        return str(self[1])


def short(text: Any, width: str = WIDE, style: str = "") -> SafeString:
    """One line, cut at the width; whole in its title."""
    return format_html(
        '<span class="block truncate {}" style="max-width: {}" title="{}">{}</span>',
        style, width, text, text,
    )  # fmt: skip


def small(text: Any, width: str = NARROW) -> SafeString:
    return short(text, width, "text-xs text-base-500 dark:text-base-400")


def two_lines(first: Any, second: Any, width: str = NARROW) -> SafeString:
    """What it is, and small below what belongs to it."""
    if not str(second):
        return short(first, width)
    return format_html(
        '<span class="block text-right lg:text-left leading-tight">{}{}</span>',
        short(first, width),
        small(second, width),
    )


def moment(at: datetime | None) -> SafeString | None:
    """How long ago, or in how long; the date and hour in its title."""
    if at is None:
        return None
    local = timezone.localtime(at)
    return format_html(
        '<time class="whitespace-nowrap" datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "SHORT_DATETIME_FORMAT"),
        _distance(at, timezone.now()),
    )


def _distance(at: datetime, now: datetime) -> str:
    length = abs(now - at)
    if length < MINUTE:
        return _("agora")
    if length < HOUR:
        text = _("%(n)d min") % {"n": length // MINUTE}
    elif length < DAY:
        text = _("%(n)d h") % {"n": length // HOUR}
    elif length < 2 * DAY:
        text = _("1 dia")
    elif length < COUNTED_DAYS:
        text = _("%(n)d dias") % {"n": length // DAY}
    else:
        return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")
    return (_("há %s") if at <= now else _("em %s")) % text


def moment_of(model: type[Model], name: str) -> Callable[[Any, Any], SafeString | None]:
    """A column with this field's moment."""

    @display(description=model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    def shown(admin: Any, row: Any) -> SafeString | None:
        return moment(getattr(row, name))

    return shown


def text_of(
    model: type[Model], name: str, width: str = WIDE
) -> Callable[[Any, Any], SafeString | None]:
    """A column with this field's text, cut."""

    @display(description=model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    def shown(admin: Any, row: Any) -> SafeString | None:
        text = getattr(row, name)
        return short(text, width) if text else None

    return shown


def shown_integration(activation: Activation) -> SafeString:
    """By the name that people gave it; below, of which connector and store."""
    below = f"{activation.connector} · {activation.store}"
    return two_lines(activation.custom_name or activation.name, below)


class IntegrationColumn:
    """For rows of an integration; their query brings `INTEGRATION`."""

    @display(description=gettext_lazy("integração"))
    def integration(self, row: Any) -> SafeString:
        return shown_integration(row.activation)


INTEGRATION = ("activation__store", "activation__connector")


def seconds_as_text(seconds: float) -> str:
    """As people say it: 10 min, 1 h 30 min."""
    if seconds < 60:
        return _("%(n)d s") % {"n": seconds}
    hours, minutes = divmod(round(seconds / 60), 60)
    parts = [_("%(n)d h") % {"n": hours}] if hours else []
    parts += [_("%(n)d min") % {"n": minutes}] if minutes else []
    return " ".join(parts)
