"""Sealing everything anew with the newest key, so that an older one can be thrown away.

Safe to repeat and while the portal serves: a row that somebody wrote meanwhile was sealed with the
newest key anyway, and is left alone.
"""

from collections.abc import Iterator

from cryptography.fernet import InvalidToken
from django.db.models import Model

from connectors.models import Credential, Doorbell, Failure, SecondFactor, SharedToken
from connectors.sealing import is_newest, reseal

SEALED: tuple[type[Model], ...] = (Credential, SharedToken, Doorbell, SecondFactor, Failure)
AT_ONCE = 500


def reseal_all() -> dict[str, tuple[int, list[int]]]:
    """How many of each kind were sealed anew, and those that no key opens."""
    return {model._meta.model_name or "": _reseal(model) for model in SEALED}


def _reseal(model: type[Model]) -> tuple[int, list[int]]:
    count, lost = 0, []
    for batch in _batches(model):
        for pk, sealed in batch:
            if not is_newest(sealed):
                mine = model._default_manager.filter(pk=pk, sealed=sealed)
                try:
                    count += mine.update(sealed=reseal(sealed))
                except InvalidToken:
                    lost.append(pk)
    return count, lost


def _batches(model: type[Model]) -> Iterator[list[tuple[int, str]]]:
    """By primary key, so that what is written meanwhile moves no page."""
    after = 0
    rows = model._default_manager.exclude(sealed="").order_by("pk").values_list("pk", "sealed")
    while batch := list(rows.filter(pk__gt=after)[:AT_ONCE]):
        yield batch
        after = batch[-1][0]
