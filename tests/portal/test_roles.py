"""Permission by permission: every address and every action of the admin, tried with every role."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.contenttypes.models import ContentType
from django.template.response import TemplateResponse
from django.test import Client

from connectors.activating import way_of
from connectors.models import Activation, Store
from portal.roles import LEAD, OPERATOR, ROLES, sync_roles
from tests.conftest import make_partner
from tests.everything import store_with_everything
from tests.urltable import routes

# What each role may open, as it was decided: test_roles.py prints it when it differs.
DECIDED = Path(__file__).with_name("roles.md")
ROLE_NAMES = ("operator", "lead", "staff without a group", "merchant", "anonymous")
GROUPS = {"operator": "Suporte", "lead": "Liderança do suporte"}
PAGES = ("changelist", "add", "history", "delete", "change")
# Without it this one refuses everybody.
QUERIES = {"autocomplete": "?app_label=connectors&model_name=activation&field_name=store"}
LOGIN = ("/login", "/admin/login")
OWN = {
    "index",
    "jsi18n",
    "login",
    "password_change",
    "password_change_done",
    "search",
}
OPEN_WITHOUT_ROLE = {
    "staff without a group": {f"the site → {page}" for page in OWN},
    "merchant": {"the site → login", "the site → logout"},  # from there he is led to his orders
    "anonymous": {"the site → logout"},
}


def somebody(role: str) -> User:
    user = User.objects.create_user(role, is_staff=role != "merchant")
    if name := GROUPS.get(role):
        user.groups.add(Group.objects.get(name=name))
    return user


def browser_of(role: str) -> tuple[Client, Any]:
    client = Client()
    if role == "anonymous":
        return client, AnonymousUser()
    user = somebody(role)
    client.force_login(user)
    return client, user


def opens(client: Client, url: str, *, is_staff: bool) -> bool:
    """Who of the staff may not, is shown nothing when he sends something, either; for who is not,
    tests/security/test_tenants.py sends to every address."""
    answer = client.get(url)
    if shows(answer):
        return True
    if is_staff and answer.status_code != 405:
        assert not shows(client.post(url)), url
    return False


def shows(answer: Any) -> bool:
    """What is broken is no refusal: where it does not raise, it fails here."""
    assert answer.status_code < 500, answer
    led_to = answer.get("Location", "")
    return answer.status_code in (200, 301, 302) and not led_to.startswith(LOGIN)


def pages() -> dict[str, str]:
    """Every address of the admin, of a row that there is, by the name of what it shows."""
    models = {m._meta.label_lower.replace(".", "/"): m for m in admin.site._registry}
    found = {}
    for route in routes("admin/"):
        if not route.name:
            continue  # it leads to a row's page, or nowhere
        folder = "/".join(route.pattern.split("/")[1:3])
        label = models[folder]._meta.label if folder in models else "the site"
        page = route.name.removeprefix(folder.replace("/", "_") + "_")
        name = f"{label} {page}" if page in PAGES else f"{label} → {page}"
        assert name not in found, name
        found[name] = route.filled(_named(models.get(folder))) + QUERIES.get(route.name, "")
    return found


def _named(model: Any) -> dict[str, str]:
    """What stands in its addresses: of the latest row."""
    model = model or Store
    row = model.objects.order_by("-pk").first()
    assert row is not None, f"tests/everything.py makes no {model.__name__}"
    content_type = ContentType.objects.get_for_model(model)
    return {
        **dict.fromkeys(("object_id", "pk", "id"), str(row.pk)),
        "key": way_of(row).stops[0].step.key if isinstance(row, Activation) else "",
        "content_type_id": str(content_type.pk),
        "app_label": "connectors",
        "url": "nothing",
    }


def list_actions(user: Any, rf: Any) -> set[str]:
    request = rf.get("/admin/")
    request.user = user
    return {
        f"{model._meta.label} [{name}]"
        for model, page_admin in admin.site._registry.items()
        for name in page_admin.get_actions(request)
    }


def table(rf: Any) -> str:
    addresses = pages()
    rows: dict[str, list[str]] = {name: ["–"] * len(ROLE_NAMES) for name in addresses}
    for number, role in enumerate(ROLE_NAMES):
        client, user = browser_of(role)
        with pytest.MonkeyPatch.context() as patch:
            if role != "lead":  # who opens a page is known before it is written: one reads them all
                patch.setattr(TemplateResponse, "rendered_content", "")
            found = {
                name
                for name, url in addresses.items()
                if opens(client, url, is_staff=user.is_staff)
            }
        for name in found | list_actions(user, rf):
            rows.setdefault(name, ["–"] * len(ROLE_NAMES))[number] = "yes"
    lines = [f"| {name} | {' | '.join(cells)} |" for name, cells in sorted(rows.items())]
    head = ["page or action", *ROLE_NAMES]
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines])


@pytest.mark.long
def test_each_role_opens_what_was_decided_and_nothing_else(db: None, rf: Any) -> None:
    store_with_everything("tudo")

    made = table(rf)

    assert made == DECIDED.read_text().strip(), f"\n{made}"


@pytest.mark.parametrize("role", ["staff without a group", "merchant", "anonymous"])
def test_who_has_no_role_is_decided_to_open_nothing_of_the_admin(role: str) -> None:
    head, _rule, *lines = [
        line.strip("| ").split(" | ") for line in DECIDED.read_text().splitlines()
    ]

    opened = {line[0] for line in lines if line[head.index(role)] == "yes"}

    assert opened == OPEN_WITHOUT_ROLE[role]


def test_no_address_breaks_whatever_it_names(db: None) -> None:
    store_with_everything("tudo")
    client, _user = browser_of("lead")

    for route in filter(lambda route: route.parts, routes("admin/")):
        for thing in ("x", "9" * 30):
            values = dict.fromkeys(route.parts, thing)
            assert client.get(route.filled(values)).status_code < 500, (route, thing)
        if "/activation/{" in route.pattern:
            for activation in Activation.objects.all():
                key = way_of(activation).stops[-1].step.key
                values = {**dict.fromkeys(route.parts, str(activation.pk)), "key": key}
                assert client.get(route.filled(values)).status_code < 500, (route, activation)


@pytest.mark.parametrize("permission", sorted(LEAD - OPERATOR))
def test_what_only_a_lead_may_an_operator_may_not(db: None, permission: str) -> None:
    assert somebody("lead").has_perm(permission)
    assert not somebody("operator").has_perm(permission)


def test_who_may_not_is_told_so_in_words(db: None) -> None:
    client = Client()
    client.force_login(somebody("operator"))

    answer = client.get("/admin/auth/user/")

    assert answer.status_code == 403
    assert "Você não tem permissão para isto" in answer.content.decode()


@pytest.mark.parametrize(("model", "field"), [("store", "members"), ("act", "by")])
def test_support_finds_the_people_whom_its_pages_ask_for_but_sees_no_list_of_them(
    model: str, field: str, db: None
) -> None:
    ana = User.objects.create_user("ana")
    asked = {"app_label": "connectors", "model_name": model, "field_name": field, "term": "ana"}
    answers = {}
    for role in ("operator", "lead", "staff without a group"):
        client = Client()
        client.force_login(somebody(role))
        answers[role] = client.get("/admin/autocomplete/", asked)
        assert client.get("/admin/auth/user/").status_code == 403

    assert answers.pop("staff without a group").status_code == 403
    for answer in answers.values():
        assert answer.json()["results"] == [{"id": str(ana.pk), "text": "ana"}]


def test_whom_a_model_without_a_page_names_is_not_searched(db: None) -> None:
    client = Client()
    client.force_login(somebody("operator"))
    asked = {"app_label": "admin", "model_name": "logentry", "field_name": "user", "term": "a"}

    assert client.get("/admin/autocomplete/", asked).status_code == 403


def test_only_a_lead_revokes(store: Store) -> None:
    activation = make_partner(store, "rocky").activation
    data = {"action": "revoke_selected", "_selected_action": [activation.pk], "sure": "1"}
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
