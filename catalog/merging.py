"""Lists inside a PUT: a product's (pluggto-api.md, section 4.5), a shipment's documents."""

from typing import Any

from connectors.hub.identifiers import new_public_id
from connectors.payload import is_no


def merge(
    current: list[dict[str, Any]], incoming: list[dict[str, Any]], keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The list after the PUT: known elements are updated, new ones get an id where they have none,
    those with `remove` go, and those that were not mentioned stay. One that has nothing to know it
    by is known where it is all the same."""
    merged = [_without(element, "remove") for element in current]
    for told in incoming:
        # The mark is no part of the element: kept, "0" or "false" might be taken for a yes later.
        element = _without(told, "remove")
        found = _find(merged, element, ("id", *keys)) or _same(merged, element)
        if not is_no(told.get("remove")):
            if found is not None:
                merged.remove(found)
        elif found is not None:
            found.update(_without(element, "id"))
        else:
            merged.append({**element, "id": element.get("id") or new_public_id()})
    return merged


def still_told(
    current: list[dict[str, Any]], incoming: list[dict[str, Any]], keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Those that the incoming ones mean, where these are all that there are."""
    meant = [_find(current, each, ("id", *keys)) or _same(current, each) for each in incoming]
    return [each for each in current if any(each is one for one in meant)]


def _find(
    elements: list[dict[str, Any]], wanted: dict[str, Any], keys: tuple[str, ...]
) -> dict[str, Any] | None:
    for key in keys:
        if wanted.get(key) not in (None, ""):  # a form has "" for null
            for element in elements:
                if element.get(key) == wanted[key]:
                    return element
    return None


def _same(elements: list[dict[str, Any]], wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The one that says just this, for one without an id of its own."""
    if wanted.get("id"):
        return None
    said = _without(wanted, "id")
    return next((element for element in elements if _without(element, "id") == said), None)


def _without(element: dict[str, Any], left_out: str) -> dict[str, Any]:
    return {name: value for name, value in element.items() if name != left_out}
