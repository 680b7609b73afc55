"""Permission by permission: every page and every action of the admin, tried with every role."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import NoReverseMatch, reverse

from connectors.models import Store
from portal.roles import LEAD, OPERATOR, ROLES, sync_roles
from tests.conftest import make_partner

# What each role may open, as it was decided: test_roles.py prints it when it differs.
DECIDED = Path(__file__).with_name("roles.md")
PAGES = ("changelist", "add", "change", "delete")
NOBODY_ROW = 987654  # a page's permissions come before its row


def somebody(role: str) -> User:
    user = User.objects.create_user(role, is_staff=role != "merchant")
    if name := {"operator": "Suporte", "lead": "Liderança do suporte"}.get(role):
        user.groups.add(Group.objects.get(name=name))
    return user


def opens(client: Client, url: str) -> bool:
    """A row that does not exist leads to the front page; who may not, gets 403 or the login."""
    answer = client.get(url)
    if answer.status_code == 302:
        return not answer["Location"].startswith(("/login", "/admin/login"))
    return answer.status_code in (200, 404)


def pages() -> Iterator[tuple[str, str]]:
    for model, page_admin in admin.site._registry.items():
        meta = model._meta
        for page in PAGES:
            arguments = [] if page in ("changelist", "add") else [NOBODY_ROW]
            name = f"admin:{meta.app_label}_{meta.model_name}_{page}"
            yield f"{meta.label} {page}", reverse(name, args=arguments)
        grouped = getattr(page_admin, "actions_detail", ()) or ()
        # Some of them are in a menu.
        actions = [each["items"] if isinstance(each, dict) else [each] for each in grouped]
        for action in chain.from_iterable(actions):
            name = f"admin:{meta.app_label}_{meta.model_name}_{action}"
            try:
                yield f"{meta.label} → {action}", reverse(name, args=[NOBODY_ROW])
            except NoReverseMatch:
                pytest.fail(f"no address for {name}")


def list_actions(user: User, rf: Any) -> set[str]:
    request = rf.get("/admin/")
    request.user = user
    return {
        f"{model._meta.label} [{name}]"
        for model, page_admin in admin.site._registry.items()
        for name in page_admin.get_actions(request)
    }


def table(rf: Any) -> str:
    roles = ("operator", "lead", "merchant")
    rows: dict[str, list[str]] = {}
    for number, role in enumerate(roles):
        user, client = somebody(role), Client(raise_request_exception=False)
        client.force_login(user)
        found = {name for name, url in pages() if opens(client, url)} | list_actions(user, rf)
        for name in found:
            rows.setdefault(name, ["–"] * len(roles))[number] = "yes"
    nobody = [name for name, _url in pages() if name not in rows]
    lines = [f"| {name} | {' | '.join(cells)} |" for name, cells in sorted(rows.items())]
    lines += [f"| {name} | – | – | – |" for name in sorted(nobody)]
    return "\n".join(
        ["| page or action | operator | lead | merchant |", "|---|---|---|---|", *lines]
    )


def test_each_role_opens_what_was_decided_and_nothing_else(db: None, rf: Any) -> None:
    made = table(rf)

    assert made == DECIDED.read_text().strip(), f"\n{made}"


def test_a_merchant_opens_nothing_of_the_admin(db: None) -> None:
    client = Client()
    client.force_login(somebody("merchant"))

    assert [name for name, url in pages() if opens(client, url)] == []


@pytest.mark.parametrize("permission", sorted(LEAD - OPERATOR))
def test_what_only_a_lead_may_an_operator_may_not(db: None, permission: str) -> None:
    assert somebody("lead").has_perm(permission)
    assert not somebody("operator").has_perm(permission)


def test_only_a_lead_revokes(store: Store) -> None:
    activation = make_partner(store, "rocky").activation
    data = {"action": "revoke_selected", "_selected_action": [activation.pk]}
    states = []
    for role in ("operator", "lead"):
        client = Client()
        client.force_login(somebody(role))
        client.post("/admin/connectors/activation/", data)
        activation.refresh_from_db()
        states.append(activation.state)

    assert states == ["waiting", "revoked"]


def test_nobody_of_support_deletes_history_or_makes_himself_more(db: None) -> None:
    for role in ROLES:
        for name in role.permissions:
            app, _dot, codename = name.partition(".")
            assert app in ("connectors", "catalog", "orders")
            if codename.startswith("delete_"):
                assert codename in ("delete_skumapping", "delete_store")


def test_the_groups_say_what_the_table_says_whatever_was_made_of_them(db: None) -> None:
    group = Group.objects.get(name="Suporte")
    group.permissions.clear()

    sync_roles()
    sync_roles()

    assert group.permissions.count() == len(OPERATOR)
    assert Group.objects.count() == len(ROLES)
