import re
from datetime import datetime

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from connectors.models import Receipt, Store, Trial
from connectors.payload import LOCAL
from connectors.receipts import write_receipt
from connectors.spec import Mode
from tests.conftest import Partner, make_activation
from tests.connectors.admin.conftest import activated, somebody_who_may, values_shown


def test_activating_writes_one_and_later_changes_do_not_change_it(
    store: Store, operator: User
) -> None:
    activation = make_activation(store, "rocky", plugin_url="https://loja.example")
    fingerprint = activation.credentials.get().fingerprint
    receipt = Receipt.objects.get()
    client, page = Client(), f"/admin/connectors/receipt/{receipt.pk}/change/"
    client.force_login(operator)

    activation.refresh_from_db()
    activation.plugin_url = "https://outra.example"
    activation.save()
    store.name = "Outro nome"
    store.save()

    html = client.get(page).content.decode()
    for words in ("https://loja.example", fingerprint, "Rocky", "Cadência do estoque", "ativadora"):
        assert words in html
    assert "Outro nome" not in html
    assert "outra.example" not in html
    assert "Nenhum teste foi feito" in html
    listed = client.get(f"/admin/connectors/activation/{activation.pk}/change/").content.decode()
    assert page in listed


def test_it_holds_the_connection_test_of_that_moment(store: Store, operator: User) -> None:
    activation = make_activation(store, "rocky")
    Trial.objects.create(
        activation=activation,
        asked_by=operator,
        ended_at=timezone.now(),
        results=[["Entrada", "ok", "Respondeu."], ["Estoque", "fail", "Sem permissão."]],
    )

    receipt = write_receipt(activation, operator)

    assert receipt.facts["test"]["results"] == [
        ["Entrada", "Funciona", "Respondeu."],
        ["Estoque", "Não funciona", "Sem permissão."],
    ]
    assert receipt.facts["test"]["by"] == "operadora"


def test_a_partners_holds_what_the_link_handed_over_and_what_it_has_done_so_far(
    store: Store, admin_client: Client
) -> None:
    activation, _none = activated(admin_client, "rocky", store, Mode.PARTNER, until="credentials")
    pages = f"/admin/connectors/activation/{activation.pk}/way"
    shown = admin_client.post(f"{pages}/credentials/", {"link": ""}).content.decode()
    address = re.search(r"data-handover>http://testserver([^<]+)<", shown)
    assert address is not None
    issued = values_shown(Client().post(address[1]).content.decode())
    Partner(activation, type("Issued", (), issued)).get("/orders")
    admin_client.post(f"{pages}/first_call/", {"test": "1"})

    for _time in range(2):
        admin_client.post(f"{pages}/first_call/", {"conclude": "1"})

    latest, _first = Receipt.objects.order_by("-pk")
    in_use = activation.credentials.issued_in_use().get()
    assert latest.facts["credential"]["fingerprint"] == in_use.fingerprint
    assert ["Acesso", "Funciona"] in [each[:2] for each in latest.facts["test"]["results"]]


def test_its_moments_are_written_as_its_page_writes_its_own(store: Store, operator: User) -> None:
    activation = make_activation(store, "rocky")
    at = datetime(2026, 3, 4, 22, 30, tzinfo=LOCAL)
    activation.credentials.update(created_at=at)
    Trial.objects.create(activation=activation, asked_by=operator, ended_at=at)
    page = somebody_who_may("view_receipt")
    page.cookies["django_language"] = "en"

    with override("en"):
        receipt = write_receipt(activation, operator)
    Receipt.objects.filter(pk=receipt.pk).update(created_at=at)
    address = f"/admin/connectors/receipt/{receipt.pk}/change/"
    html = page.get(address).content.decode()

    assert html.count("03/04/2026") == 3
    assert "04/03/2026" not in html


def test_no_secret_is_on_it(store: Store) -> None:
    make_activation(store, "rocky")

    text = str(Receipt.objects.get().facts)

    credential = Receipt.objects.get().activation.credentials.get()
    for value in (credential.client_secret_hash, credential.sealed):
        assert value not in text


def test_who_may_not_see_receipts_gets_none(store: Store) -> None:
    make_activation(store, "rocky")
    page = f"/admin/connectors/receipt/{Receipt.objects.get().pk}/change/"

    assert somebody_who_may("view_activation").get(page).status_code == 403


def test_its_name_tells_the_moment_that_stands_in_it(store: Store) -> None:
    activation = make_activation(store, "rocky")
    Receipt.objects.update(created_at=datetime(2026, 3, 31, 22, 30, tzinfo=LOCAL))

    assert str(Receipt.objects.get()) == f"{activation} · 31/03/2026 22:30"
