"""Sealing what we must be able to present again: authenticated, with keys that can be rotated."""

import json
from collections.abc import Mapping
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


@cache
def _keys(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(values: Mapping[str, str]) -> str:
    return _keys(tuple(settings.CREDENTIAL_KEYS)).encrypt(json.dumps(values).encode()).decode()


def unseal(sealed: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(_keys(tuple(settings.CREDENTIAL_KEYS)).decrypt(sealed))
    return values


def unseal_known(sealed: str) -> dict[str, str]:
    """Nothing where its key is gone: the pages on which that is mended must open all the same."""
    try:
        return unseal(sealed)
    except InvalidToken:
        return {}


def is_newest(sealed: str) -> bool:
    """Whether the newest key opens it."""
    try:
        Fernet(settings.CREDENTIAL_KEYS[0]).decrypt(sealed)
    except InvalidToken:
        return False
    return True


def reseal(sealed: str) -> str:
    return _keys(tuple(settings.CREDENTIAL_KEYS)).rotate(sealed).decode()
