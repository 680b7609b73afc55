"""Why records fail, and who must act."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

from connectors.contract import Flow
from connectors.errors import (
    ConnectorError,
    Duplicate,
    NotAllowed,
    NotFound,
    Refused,
    Rejected,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from connectors.models import Failure
from connectors.trouble import causes
from connectors.trouble.causes import CAUSES, Actor, cause_of, codes_for

ROOT = Path(__file__).resolve().parents[3]


class NotUpdated(Rejected):
    """A platform's own kind of refusal."""


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_cause_says_who_must_act_and_how(code: str) -> None:
    cause = CAUSES[code]

    assert (cause.code, cause.actor in Actor.values) == (code, True)
    assert str(cause.title)
    assert str(cause.fix).endswith(".")
    assert len(code) <= 40


@pytest.mark.parametrize("code", sorted(CAUSES))
@pytest.mark.parametrize("flow", Flow)
def test_every_page_on_which_something_is_mended_exists(code: str, flow: Flow) -> None:
    page = CAUSES[code].page_for(flow)
    if page is None:
        return

    address = reverse(f"admin:{page.name}", args=[1] if page.at else [])

    assert address.startswith("/admin/")
    fields = {field.attname for field in Failure._meta.get_fields() if hasattr(field, "attname")}
    assert {page.at or "id", *page.query.values()} <= fields


def test_no_cause_is_known_that_nothing_fails_of() -> None:
    """By its constant in somebody's code, or as what an error of a kind is taken for."""
    by_kind = {code for _kind, code in causes.BY_KIND} | {causes.OTHER}
    code = "\n".join(
        file.read_text()
        for app in ("connectors", "catalog", "orders")
        for file in (ROOT / app).rglob("*.py")
        if file.name != "causes.py"
    )
    constants = {
        name for name, value in vars(causes).items() if isinstance(value, str) and value in CAUSES
    }
    named = {getattr(causes, name) for name in constants if re.search(rf"\b{name}\b", code)}

    assert set(CAUSES) - by_kind - named == set()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("…"), "unavailable"),
        (Unauthorized("…"), "credentials"),
        (Rejected("…"), "rejected"),
        (NotUpdated("…"), "rejected"),
        (Unreadable("…"), "unreadable"),
        (Refused("…"), "refused"),
        (NotFound("…"), "refused"),
        (Duplicate("…"), "duplicate"),
        (NotAllowed("…"), "not_allowed"),
        (ConnectorError("…"), "other"),
        (KeyError("…"), "other"),
        (Rejected("…", cause=causes.PLAN), "plan"),
        (NotFound("…", cause=causes.UNKNOWN_SKU), "unknown_sku"),
        (Unavailable("…", 5, cause=causes.PLAN), "plan"),
        (Rejected("…", cause="a code that nobody knows"), "rejected"),
    ],
)
def test_an_error_is_of_the_cause_that_it_names_or_else_of_its_kinds(
    error: Exception, code: str
) -> None:
    assert cause_of(error).code == code


def test_causes_are_found_by_who_must_act() -> None:
    assert codes_for(Actor.US) == ["our_bug", "unreadable", "other"]
    assert sum(len(codes_for(actor)) for actor in Actor.values) == len(CAUSES)
