"""The app list: search a connector, open its details."""

import pytest
from django.test import Client
from django.utils.html import escape

from connectors.describe import replay_row, rows
from connectors.models import Connector
from connectors.registry import SPECS
from tests.connectors.admin.conftest import form_on, somebody_who_may

LIST = "/admin/connectors/connector/"


def details_of(slug: str) -> str:
    return f"{LIST}{Connector.objects.get(slug=slug).pk}/change/"


def test_the_list_shows_every_connector_with_its_modes(admin_client: Client) -> None:
    page = admin_client.get(LIST).content.decode()

    for spec in SPECS.values():
        assert spec.name in page
    assert "Parceiro, Gerenciado" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("rocky", ["rocky", "rockyerp"]),
        ("Ótimo", ["otimo"]),
        ("commerce", ["linx", "linxlayer", "rocky", "rockyerp"]),
        ("plug", ["pluga", "pluggto"]),
        ("nenhum destes", []),
    ],
)
def test_a_connector_is_found_by_its_name(
    query: str, found: list[str], admin_client: Client
) -> None:
    answer = admin_client.get(LIST, {"q": query})

    shown = answer.context["cl"].result_list
    assert sorted(connector.slug for connector in shown) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("rocky", ["rocky", "rockyerp"]),
        ("Ótimo", ["otimo"]),
        ("otimo gestor", ["otimo"]),
        ("ÓTIMO", ["otimo"]),
        ("linx v2", ["linx"]),
        ("", sorted(SPECS)),
        ("nenhum destes", []),
    ],
)
def test_an_app_is_found_by_its_name_however_it_is_typed(
    query: str, found: list[str], admin_client: Client
) -> None:
    answer = admin_client.get(f"{LIST}apps/", {"q": query})

    assert sorted(app.connector.slug for app in answer.context["apps"]) == found


@pytest.mark.parametrize("slug", SPECS)
def test_the_details_show_the_whole_specification_in_portuguese(
    slug: str, admin_client: Client
) -> None:
    page = admin_client.get(details_of(slug))

    assert "Mais detalhes" in page.content.decode()
    assert "Ativar para uma loja" in page.content.decode()
    for label, cell in [*rows(SPECS[slug]), *replay_row(SPECS[slug])]:
        assert label[0].isupper()
        assert label in page.content.decode()
        assert escape(cell) in page.content.decode()


def test_a_connector_that_support_switched_off_is_not_offered(admin_client: Client) -> None:
    Connector.objects.filter(slug="rocky").update(enabled=False)

    page = admin_client.get(details_of("rocky")).content.decode()

    assert "Ativar para uma loja" not in page


def test_support_changes_its_contacts_and_nothing_else(admin_client: Client) -> None:
    admin_client.post(
        details_of("rocky"),
        {"enabled": "on", "contacts": "Ana, ramal 12", "name": "X", "slug": "x"},
    )

    row = Connector.objects.get(slug="rocky")
    assert (row.name, row.enabled, row.contacts) == ("Rocky E-Commerce", True, "Ana, ramal 12")


def test_who_saves_an_old_page_does_not_switch_a_connector_on_again(admin_client: Client) -> None:
    old = form_on(admin_client.get(details_of("rocky")).content.decode())
    switched_off = {name: value for name, value in old.items() if name != "enabled"}

    admin_client.post(details_of("rocky"), switched_off)
    admin_client.post(details_of("rocky"), old | {"contacts": "Ana, ramal 12"})

    row = Connector.objects.get(slug="rocky")
    assert (row.enabled, row.contacts) == (False, "Ana, ramal 12")


def test_a_connector_whose_code_is_gone_is_not_listed(admin_client: Client) -> None:
    gone = Connector.objects.create(slug="gone", name="Saiu do código")

    assert "Saiu do código" not in admin_client.get(LIST).content.decode()
    assert admin_client.get(f"{LIST}{gone.pk}/change/").status_code == 302


def test_connectors_are_neither_added_nor_deleted(admin_client: Client) -> None:
    pk = Connector.objects.get(slug="rocky").pk

    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403


def test_whoever_may_only_look_cannot_change(db: None) -> None:
    client = somebody_who_may("view_connector")

    assert client.get(details_of("rocky")).status_code == 200
    assert client.post(details_of("rocky"), {"contacts": "x"}).status_code == 403
