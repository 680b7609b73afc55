"""Writing down what people did."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import models
from django.forms import ChoiceField, Field
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.models import Act, Activation, Store
from connectors.records import Document

# What leads from a row to its store.
PATHS = ("activation", "product", "flow", "order", "credential", "comparison")
LONGEST = 300  # characters of one value
Changes = dict[str, list[str]]
R = TypeVar("R", bound=models.Model)


def record_act(
    by: User, row: models.Model, what: str, changes: Changes | None = None, address: str = ""
) -> None:
    Act.objects.create(
        by=by,
        address=address or None,
        store=store_of(row),
        model=row._meta.label_lower,
        object_id=str(row.pk),
        object_text=str(row)[:200],
        what=what[:1000],
        changes=changes or {},
    )


def with_acts(rows: Sequence[R]) -> list[tuple[R, list[Act]]]:
    """Each of these, of one model, with what people did to it, the latest first; in one query."""
    by_id: dict[str, list[Act]] = {str(row.pk): [] for row in rows}
    if rows:
        acts = Act.objects.filter(model=rows[0]._meta.label_lower, object_id__in=by_id)
        for act in acts.select_related("by"):
            by_id[act.object_id].append(act)
    return [(row, by_id[str(row.pk)]) for row in rows]


def store_of(row: Any) -> Store | None:
    """Whose it is; connectors and people are nobody's."""
    if isinstance(row, Store):
        return row if row.pk else None
    if isinstance(store := getattr(row, "store", None), Store):
        return store
    for path in PATHS:
        if isinstance(other := getattr(row, path, None), models.Model):
            return store_of(other)
    return None


def is_secret(name: str) -> bool:
    words = ("password", "secret", "token", "sealed", "_hash", "credential_")
    return any(word in name for word in words)


def differences(before: models.Model, after: models.Model) -> Changes:
    """Column by column, without secrets and without what came from outside. The documents that
    platforms and partners sent are theirs; of ours, only the settings are a document, and each of
    them is shown by its own name."""
    changes: Changes = {}
    for column in before._meta.concrete_fields:
        name = column.attname
        was, became = before.__dict__.get(name), after.__dict__.get(name)
        if was == became or is_secret(name):
            continue
        if isinstance(after, Activation) and name == "settings":
            changes |= _of_settings(after, was or {}, became or {})
        elif not isinstance(column, models.JSONField):
            labels = dict(column.flatchoices)
            values = [shown(labels.get(value, value)) for value in (was, became)]
            changes[str(column.verbose_name)] = values
    return changes


def _of_settings(activation: Activation, was: Document, became: Document) -> Changes:
    changes = {}
    for setting in activation.spec.settings_in(activation.mode):
        labels, key = dict(setting.choices), setting.key
        before, after = was.get(key, setting.default), became.get(key, setting.default)
        if before != after:
            values = [shown(labels.get(str(value), value)) for value in (before, after)]
            changes[str(setting.label)] = values
    return changes


def shown_in(field: Field, value: Any) -> str:
    """As its form shows it."""
    choices: Any = field.choices if type(field) is ChoiceField else ()
    return shown(dict(choices).get(str(value), value))


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%d/%m/%Y %H:%M:%S}"
    if isinstance(value, models.QuerySet | list | tuple):
        return ", ".join(str(each) for each in value)[:LONGEST]
    return str(value)[:LONGEST]
