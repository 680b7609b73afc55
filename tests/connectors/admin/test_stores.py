import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from connectors.acts import record_act
from connectors.models import Act, Run, Store
from tests.conftest import make_activation, make_store
from tests.connectors.admin.conftest import form_on

ADD = "/admin/connectors/store/add/"
FORM = {"name": "Loja da Ana", "cnpj": "12.abc.345/01de-35", "domain": "https://Loja.example.com/"}


def test_a_store_is_stored_without_masks(admin_client: Client) -> None:
    ana = User.objects.create_user("ana")

    answer = admin_client.post(ADD, FORM | {"members": [ana.pk]})

    store = Store.objects.get()
    assert answer.status_code == 302
    assert (store.cnpj, store.domain) == ("12ABC34501DE35", "loja.example.com")
    assert list(store.members.all()) == [ana]


def test_of_an_address_that_was_pasted_the_domain_is_kept(admin_client: Client) -> None:
    admin_client.post(ADD, FORM | {"domain": "https://www.loja.com.br/conta/entrar"})

    assert Store.objects.get().domain == "www.loja.com.br"


def test_who_types_that_nothing_is_anonymised_does_not_lose_everything(
    admin_client: Client,
) -> None:
    page = admin_client.post(ADD, FORM | {"personal_data_days": "0"}).content.decode()

    assert "Deixe vazio para não anonimizar, ou informe os dias." in page
    assert not Store.objects.exists()


@pytest.mark.parametrize("written", ["12.ABC.345/01DE-35", "12abc34501de35", "12ABC345"])
def test_a_store_is_found_by_its_cnpj_however_it_is_written(
    written: str, admin_client: Client
) -> None:
    admin_client.post(ADD, FORM, follow=True)

    found = admin_client.get("/admin/connectors/store/", {"q": written})

    assert "Loja da Ana" in found.content.decode()


@pytest.mark.parametrize("typed", ["pao e acucar", "PÃO açúcar"])
def test_a_store_and_its_runs_are_found_by_its_name_without_accents(
    typed: str, admin_client: Client
) -> None:
    store = make_store(name="Pão e Açúcar")
    activation = make_activation(store, "rocky")
    begun = {"planned_at": timezone.now(), "started_at": timezone.now()}
    Run.objects.create(activation=activation, expires_at=timezone.now(), **begun)

    for row in (store, activation, Run.objects.get()):
        path = f"/admin/connectors/{row._meta.model_name}/"
        assert "Pão e Açúcar" in admin_client.get(path, {"q": typed}).content.decode()
        assert "Pão e Açúcar" not in admin_client.get(path, {"q": "pai"}).content.decode()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"cnpj": "12.ABC.345/01DE-36"}, "Este CNPJ não existe"),
        ({"cnpj": "00000000000000"}, "Este CNPJ não existe"),
        ({"cnpj": ""}, "Este campo é obrigatório"),
        ({"domain": "https://"}, "Informe o domínio da loja."),
        ({"name": ""}, "Este campo é obrigatório"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    typed: dict[str, str], message: str, admin_client: Client
) -> None:
    answer = admin_client.post(ADD, FORM | typed)

    assert message in answer.content.decode()
    assert not Store.objects.exists()


@pytest.mark.parametrize("how", ["its page", "the list"])
def test_a_store_with_history_stays_and_what_to_do_instead_is_said(
    how: str, admin_client: Client
) -> None:
    store = make_store()
    make_activation(store, "rocky")

    if how == "its page":
        answer = admin_client.post(f"/admin/connectors/store/{store.pk}/delete/", {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": store.pk, "post": "yes"}
        answer = admin_client.post("/admin/connectors/store/", chosen)

    page = answer.content.decode()
    assert "Revogue as integrações dela e tire os lojistas." in page
    assert "permissão" not in page
    assert Store.objects.get() == store


def test_a_person_with_history_stays_and_what_to_do_instead_is_said(admin_client: Client) -> None:
    ana = User.objects.create_user("ana")
    record_act(ana, ana, "Senha alterada.")
    beto = User.objects.create_user("beto")

    kept = admin_client.post(f"/admin/auth/user/{ana.pk}/delete/", {"post": "yes"})
    admin_client.post(f"/admin/auth/user/{beto.pk}/delete/", {"post": "yes"})

    assert "Desmarque “Ativo” na página da pessoa" in kept.content.decode()
    assert set(User.objects.filter(pk__in=[ana.pk, beto.pk])) == {ana}


def test_a_domain_belongs_to_one_store(admin_client: Client) -> None:
    admin_client.post(ADD, FORM)

    answer = admin_client.post(ADD, FORM | {"domain": "http://loja.example.com"})

    assert "já existe" in answer.content.decode()
    assert Store.objects.count() == 1


def chosen_before(html: str) -> list[str]:
    return re.findall(r'name="initial-members"(?: value="(\d+)")?', html)


def sent_back(client: Client, page: str) -> dict[str, Any]:
    """What a browser sends of the page, with all that is chosen in it."""
    html = client.get(page).content.decode()
    chosen = re.search(r'<select[^>]*name="members".*?</select>', html, re.S)
    members = re.findall(r'value="(\d+)" selected', chosen[0]) if chosen else []
    before = chosen_before(html)
    return form_on(html) | {"members": members, "initial-members": before}


@pytest.mark.parametrize("before", [[], ["bia"]])
def test_who_saves_an_old_page_of_a_store_takes_back_nothing_of_others(
    before: list[str], admin_client: Client
) -> None:
    ana, bia = (User.objects.create_user(name) for name in ("ana", "bia"))
    store = make_store(name="Antes")
    store.members.set([bia] if before else [])
    page = f"/admin/connectors/store/{store.pk}/change/"
    old = sent_back(admin_client, page)

    admin_client.post(page, old | {"domain": "nova.example.com", "members": [ana.pk]})
    admin_client.post(page, old | {"name": "Depois"})

    store.refresh_from_db()
    assert (store.name, store.domain) == ("Depois", "nova.example.com")
    assert list(store.members.all()) == [ana]
    last = Act.objects.latest("pk")
    assert last.changes == {"Nome": ["Antes", "Depois"]}


def test_what_was_chosen_beside_an_error_is_kept_when_that_is_mended(admin_client: Client) -> None:
    ana, store = User.objects.create_user("ana"), make_store()
    page = f"/admin/connectors/store/{store.pk}/change/"
    typed = sent_back(admin_client, page) | {"members": [ana.pk]}

    shown = admin_client.post(page, typed | {"cnpj": "1"}).content.decode()
    before = chosen_before(shown)
    admin_client.post(page, typed | {"initial-members": before})

    assert before == [""]
    assert list(store.members.all()) == [ana]
