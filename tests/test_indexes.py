"""No index is kept that another one makes needless: each costs something at every write."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models

OURS = ("connectors", "catalog", "orders")


def beginnings(model: type[models.Model]) -> Iterator[tuple[str, ...]]:
    """The columns of each index that holds all rows."""
    for each in (*model._meta.indexes, *model._meta.constraints):
        if isinstance(each, models.Index | models.UniqueConstraint) and each.condition is None:
            yield tuple(name.removeprefix("-") for name in each.fields)


def test_no_foreign_key_has_an_index_with_which_another_begins() -> None:
    doubled = [
        f"{model._meta.label}.{field.name}"
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.local_fields
        if field.db_index and not field.unique
        if any(columns[:1] == (field.name,) for columns in beginnings(model))
    ]

    assert doubled == []


def test_no_index_is_the_beginning_of_another() -> None:
    needless = [
        f"{model._meta.label}: {index.name}"
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        for index in model._meta.indexes
        if index.condition is None
        for columns in beginnings(model)
        if columns != (own := tuple(name.removeprefix("-") for name in index.fields))
        and columns[: len(own)] == own
    ]

    assert needless == []
