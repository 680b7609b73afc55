"""Nothing that is written down holds a secret: every test is looked through.

A secret is whatever the portal seals, hashes or takes for a password, and whatever somebody
presents as one. What is written are the values of every INSERT and UPDATE, tasks, sessions, the
cache, lines of the log, and mails; looked at when the test is over, so that what was written before
its secret was known counts as well. What other processes write is out of sight, and so is COPY.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from cryptography.fernet import MultiFernet
from django.contrib.auth.hashers import get_hasher
from django.contrib.sessions.backends.base import SessionBase
from django.core import mail
from django.core.cache.backends.locmem import LocMemCache
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django_q.signing import SignedPackage

from connectors import hashing
from connectors.redaction import SECRET_KEY

# Shorter ones stand everywhere by chance; what has blanks or quotes is a text that was hashed.
LIKE_A_SECRET = re.compile(r"[!#-&(-\[\]-~]{8,200}")
A_HASH = re.compile(r"[0-9a-f]{64}")  # no secret of ours looks like one; some present them
NAMED_OTHERWISE = {"key", "access", "refresh"}
WRITES = ("INSERT", "UPDATE")


class Watch(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.secrets: set[str] = set()
        self.written: list[tuple[str, Any]] = []
        self.is_on = False

    # -- What is secret
    def plant(self, value: Any) -> None:
        is_text = isinstance(value, str)
        if is_text and LIKE_A_SECRET.fullmatch(value) and not A_HASH.fullmatch(value):
            self.secrets.add(value)

    def plant_sealed(self, sealed: bytes) -> None:
        values = json.loads(sealed)
        for name, value in values.items() if isinstance(values, dict) else ():
            if name in NAMED_OTHERWISE or SECRET_KEY.fullmatch(name):
                self.plant(value)

    # -- What is written
    def note(self, where: str, what: Any) -> None:
        if self.is_on:
            self.written.append((where, what))

    def emit(self, record: logging.LogRecord) -> None:
        self.note("log", self.format(record))

    def statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if params and sql.lstrip()[:6] in WRITES:
            self.note(sql[:60], params)
        return execute(sql, params, many, context)

    # -- What is found
    def leaks(self) -> list[str]:
        """Where a secret was written, which one is not said: this is written down as well."""
        for message in getattr(mail, "outbox", ()):
            self.note(
                "mail",
                [message.subject, message.body, message.to, getattr(message, "alternatives", ())],
            )
        texts = [(where, _text(what)) for where, what in self.written]
        everything = "\n".join(text for _where, text in texts)
        found = [secret for secret in self.secrets if secret in everything]
        return sorted({
            f"{where}: …{text[max(0, (at := text.index(secret)) - 60) : at]}<secret>"
            for secret in found for where, text in texts if secret in text
        })  # fmt: skip

    def forget(self) -> None:
        self.secrets.clear()
        self.written.clear()


def _text(what: Any) -> str:
    if isinstance(what, str):
        return what
    if isinstance(what, bytes | memoryview):
        return bytes(what).decode("latin-1")
    if isinstance(what, list | tuple):
        return "\n".join(map(_text, what))
    # psycopg's JSON shows itself cut off.
    return str(getattr(what, "obj", what))


WATCH = Watch()


def _before(owner: Any, name: str, look: Callable[..., None]) -> None:
    """Show what it is called with."""
    original = getattr(owner, name)

    @wraps(original)
    def looked_at(*args: Any, **kwargs: Any) -> Any:
        look(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, looked_at)


def _sit_down(connection: BaseDatabaseWrapper, **_more: Any) -> None:
    # In front: whoever puts one up for a while takes the last one down.
    if WATCH.statement not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, WATCH.statement)


def watch() -> None:
    """Once, for good."""
    _before(hashing, "sha256", lambda secret: WATCH.plant(secret.decode()))
    _before(MultiFernet, "encrypt", lambda _keys, sealed, *_: WATCH.plant_sealed(sealed))
    _before(type(get_hasher()), "encode", lambda _hasher, password, *_: WATCH.plant(password))
    _before(SessionBase, "encode", lambda _store, session: WATCH.note("session", dict(session)))
    _before(LocMemCache, "_set", lambda _cache, *entry: WATCH.note("cache", entry[:2]))
    dumps = SignedPackage.dumps

    def noted(task: Any, *args: Any) -> Any:
        WATCH.note("task", str(task))
        return dumps(task, *args)

    SignedPackage.dumps = staticmethod(noted)
    connection_created.connect(_sit_down)


def looked_through() -> Iterator[None]:
    """One test."""
    WATCH.forget()
    WATCH.is_on = True
    logging.getLogger().addHandler(WATCH)  # again, where a test has set up the logs anew
    yield
    WATCH.is_on = False
    leaks = WATCH.leaks()
    WATCH.forget()
    assert not leaks, "\n".join(["a secret was written down:", *leaks[:10]])
