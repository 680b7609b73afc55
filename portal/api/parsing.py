"""The bodies that clients send: JSON, and forms with PHP's brackets (pluggto-api.md, section 1)."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, TypeAlias
from urllib.parse import parse_qsl

from rest_framework.parsers import BaseParser

from connectors.errors import Unreadable

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 20_000  # of a form: some 500 variations of 40 fields
DEEPEST = 20  # brackets after one name
KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
INDEX = re.compile(r"0|[1-9][0-9]{0,8}")

Node: TypeAlias = dict[str, Any]


class FormParser(BaseParser):
    """Only what says that it is a form."""

    media_type = FORM

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Node:
        """Raises `Unreadable`."""
        return read_form(_text(stream))


class HubParser(BaseParser):
    """JSON, whatever the content type says: clients were seen to send `application/json,`, and
    curl calls everything a form. A form is read as one where it does not begin like JSON."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Node:
        """An object; an empty body is an empty one. Raises `Unreadable`."""
        text = _text(stream)
        if not text.strip():
            return {}
        says_form = (media_type or "").strip().lower().startswith(FORM)
        if says_form and not text.lstrip().startswith(("{", "[")):
            return read_form(text)
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"$: the body is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise Unreadable(f"$: got {type(data).__name__}, not an object")
        return data


def _text(stream: IO[bytes]) -> str:
    try:
        return stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"$: the body is not JSON: {error}") from error


def read_form(text: str) -> Node:
    """`a[b]=1` is an object in an object. `a[0][b]=1` and `a[][b]=1` are objects in a list: by
    number, gaps closed, or, without one, the next as soon as a name comes again. A value stays a
    text. Raises `Unreadable` with the key for what would be two things at once."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Unreadable(f"$: the body is not a form: {error}") from error
    root: Node = {}
    for key, value in pairs:
        _put(root, _path(key), value, key)
    return {name: _lists(node) for name, node in root.items()}


def _path(key: str) -> list[str]:
    """`a[b][]` is a, b and nothing."""
    match = KEY.fullmatch(key)
    if match is None or "[][]" in key:
        raise Unreadable(f"$: cannot read the key {key[:60]!r}")
    path = [match[1], *re.findall(r"\[([^\]]*)\]", match[2])]
    if len(path) > DEEPEST:
        raise Unreadable(f"$: the key {key[:60]!r} is too deep")
    return path


def _put(node: Node, path: list[str], value: str, key: str) -> None:
    name, *rest = path
    if not rest:
        if node.setdefault(name, value) != value:
            raise _collision(key)
    elif rest[0]:
        _put(_branch(node, name, {}, key), rest, value, key)
    else:
        rows = _branch(node, name, [], key)
        inside = rest[1:]
        if not inside:
            rows.append(value)
            return
        if not rows or not isinstance(rows[-1], dict) or _has(rows[-1], inside):
            rows.append({})
        _put(rows[-1], inside, value, key)


def _branch(node: Node, name: str, empty: Any, key: str) -> Any:
    branch = node.setdefault(name, empty)
    if type(branch) is not type(empty):
        raise _collision(key)
    return branch


def _has(node: Node, path: list[str]) -> bool:
    """Whether something stands where the path ends. A list has room for one more."""
    name, *rest = path
    if name not in node:
        return False
    below = node[name]
    return not rest or (bool(rest[0]) and (not isinstance(below, dict) or _has(below, rest)))


def _collision(key: str) -> Unreadable:
    return Unreadable(f"$: the key {key[:60]!r} contradicts one before it")


def _lists(node: Any) -> Any:
    """An object whose names are all numbers was a list of PHP's."""
    if isinstance(node, list):
        return [_lists(element) for element in node]
    if not isinstance(node, dict):
        return node
    values = {name: _lists(value) for name, value in node.items()}
    if all(INDEX.fullmatch(name) for name in values):
        return [values[name] for name in sorted(values, key=int)]
    return values
