import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from connectors.activating import note, way_of
from connectors.models import Activation, Store
from connectors.registry import SPECS
from connectors.spec import Does, Mode
from connectors.trial import run_trial

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


def step_form(html: str) -> dict[str, str] | None:
    """The form of the step that the page shows; nothing where it shows none."""
    part = html.partition('class="box"')[2]
    return form_on(part.partition("</form>")[0]) if "<form" in part else None


def typed_in(slug: str, store: Store, mode: Mode, **typed: Any) -> dict[str, Any]:
    """What an operator types on the way, whichever step asks for it."""
    all_typed: dict[str, Any] = {
        "store": store.pk, "mode": mode.value, "name": "Pluggin da loja", "plugin_url": URL,
    }  # fmt: skip
    if SPECS[slug].activating.default_url:
        all_typed.pop("plugin_url")
    for credential in SPECS[slug].credentials:
        all_typed[f"credential_{credential.key}"] = f"valor de {credential.key}"
    return all_typed | typed


def begin(client: Client, slug: str, store: Store, mode: Mode) -> Activation:
    """The draft that the first page makes."""
    form = step_form(client.get(ADD + slug).content.decode())
    assert form is not None
    client.post(ADD + slug, form | {"store": store.pk, "mode": mode.value})
    return Activation.objects.latest("pk")


def where(client: Client, activation: Activation) -> str:
    """The address of the step that it has come to, or of its page."""
    answer = client.get(f"{LIST}{activation.pk}/way/", follow=True)
    return str(answer.redirect_chain[-1][0])


def take(client: Client, url: str, typed: dict[str, Any]) -> Any:
    """Fill the step's form in and send it, as a browser would."""
    page = client.get(url).content.decode()
    form = step_form(page)
    assert form is not None, url
    asked = {name: value for name, value in typed.items() if f'name="{name}"' in page}
    return client.post(url, form | asked)


def activated(
    client: Client, slug: str, store: Store, mode: Mode, until: str = "", **typed: Any
) -> tuple[Activation, dict[str, str]]:
    """The whole way, or up to a step that is not taken; and the values that were shown."""
    activation = begin(client, slug, store, mode)
    shown: dict[str, str] = {}
    given = typed_in(slug, store, mode, **typed)
    for stop in way_of(activation).stops:
        if stop.step.key == until:
            break
        url = f"{LIST}{activation.pk}/way/{stop.step.key}/"
        if stop.step.does is Does.MERCHANT:
            note(activation.pk, stop.step.key, activation.created_by)
            continue
        if stop.step.does is Does.CHECK:
            if mode == Mode.MANAGED:
                client.post(url, {"test": "1"})
                for trial in activation.trials.filter(ended_at=None):
                    run_trial(trial.pk)
            client.post(url, {"conclude": "1", **given})
            continue
        answer = take(client, url, given)
        shown |= values_shown(answer.content.decode())
        if answer.status_code == 200 and not shown:
            raise AssertionError(answer.content.decode())
    activation.refresh_from_db()
    return activation, shown


def values_shown(html: str) -> dict[str, str]:
    return dict(re.findall(r'data-credential="(\w+)">([^<]*)<', html))
