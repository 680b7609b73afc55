"""Forgetting rows that are over, some at a time: no delete takes long."""

from typing import Any

from django.db.models import QuerySet


def forget_some(most: int, *over: QuerySet[Any]) -> bool:
    """The first of each. Whether there may be more."""
    there_may_be_more = False
    for rows in over:
        some = list(rows.values_list("pk", flat=True)[:most])
        rows.model._default_manager.filter(pk__in=some).delete()
        there_may_be_more |= len(some) == most
    return there_may_be_more
