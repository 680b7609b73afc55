import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from connectors.models import Activation, Store
from connectors.registry import SPECS
from connectors.spec import Mode

ADD = "/admin/connectors/activation/add/?connector="
LIST = "/admin/connectors/activation/"
URL = "https://loja.example.com.br/contrato"
ONE_MODE_EACH = [(slug, mode) for slug, spec in SPECS.items() for mode in spec.modes]


@pytest.fixture
def admin_client(operator: User) -> Client:
    """The operator, logged in."""
    client = Client()
    client.force_login(operator)
    return client


def somebody_who_may(*codenames: str) -> Client:
    """A member of staff with exactly these permissions, logged in."""
    user = User.objects.create_user("meia-operadora", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def page_of(activation: Activation) -> str:
    return f"{LIST}{activation.pk}/change/"


def form_on(html: str) -> dict[str, str]:
    """What the browser would send back of the page's own form, before anybody typed."""
    values: dict[str, str] = {}
    for tag in re.findall(r"<input\b[^>]*>", html):
        attributes = {
            name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)
        }
        kind, name = attributes.get("type"), attributes.get("name")
        if not name or (kind in {"checkbox", "radio"} and not re.search(r"\schecked[\s>]", tag)):
            continue
        values[name] = attributes.get("value", "on" if kind == "checkbox" else "")
    for name, inner in re.findall(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        values[name] = chosen[1] if chosen else ""
    for name, inner in re.findall(
        r'<textarea\b[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', html, re.S
    ):
        values[name] = unescape(inner)
    return values


def filled_in(client: Client, slug: str, store: Store, mode: Mode, **typed: Any) -> dict[str, Any]:
    """The activation form as the page gave it, with what an operator types."""
    form = form_on(client.get(ADD + slug).content.decode())
    form |= {"store": store.pk, "mode": mode.value, "name": "Pluggin da loja"}
    if SPECS[slug].activating.url_required and not form["plugin_url"]:
        form["plugin_url"] = URL
    if mode == Mode.MANAGED:
        for credential in SPECS[slug].credentials:
            form[f"credential_{credential.key}"] = f"valor de {credential.key}"
    return form | typed


def values_shown(html: str) -> dict[str, str]:
    return dict(re.findall(r'data-credential="(\w+)">([^<]*)<', html))
