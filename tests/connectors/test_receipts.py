from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from connectors.models import Receipt, Store, Trial
from connectors.receipts import write_receipt
from tests.conftest import make_activation
from tests.connectors.admin.conftest import somebody_who_may


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
