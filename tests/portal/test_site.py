from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.connectors.admin.conftest import form_on


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/"])
def test_an_operator_lands_on_the_admins_front_page(path: str, operator: User) -> None:
    client = Client()
    login = client.get(path, follow=True).redirect_chain[-1][0]

    answer = client.post(
        login, {"username": "operadora", "password": "segredo-da-operadora"}, follow=True
    )

    assert answer.redirect_chain == [("/admin/", 302)]
    assert "Portal de integrações" in answer.content.decode()


@pytest.mark.parametrize("page", ["²", "0", "9" * 20])
def test_a_page_of_what_was_searched_that_is_none_is_not_there(page: str, operator: User) -> None:
    client = Client()
    client.force_login(operator)

    assert client.get("/admin/search/", {"s": "a", "page": page}).status_code == 404


def test_a_merchant_does_not_get_into_the_admin(db: None) -> None:
    User.objects.create_user("lojista", password="senha-da-lojista")
    client = Client()

    answer = client.post(
        "/login/?next=/admin/",
        {"username": "lojista", "password": "senha-da-lojista", "next": "/admin/"},
        follow=True,
    )

    assert answer.redirect_chain[-1] == ("/orders/", 302)
    assert client.get("/admin/connectors/store/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/orders/1/", "/integrations/ask/", "/admin/connectors/store/add/"]
)
def test_who_was_logged_out_while_he_typed_is_told_that_nothing_was_saved(
    path: str, operator: User
) -> None:
    client = Client()
    opened = client.get(path, follow=True).content.decode()

    sent = client.post(path, {"name": "Loja"}, follow=True).content.decode()

    assert "Nada foi gravado" not in opened
    assert "Nada foi gravado" in sent
    assert "Nada foi gravado" not in client.post("/admin/logout/", follow=True).content.decode()


def test_the_front_door_leads_to_the_merchants_page(db: None) -> None:
    answer = Client().get("/", follow=True)

    assert answer.redirect_chain == [("/login/?next=/", 302)]


def test_who_saves_an_old_page_of_a_person_does_not_let_him_in_again(admin_client: Client) -> None:
    ana = User.objects.create_user("ana", password="uma-senha-longa")
    page = f"/admin/auth/user/{ana.pk}/change/"
    html = admin_client.get(page).content.decode()
    old = form_on(html)
    for several in ("groups", "user_permissions"):
        old[several] = []

    admin_client.post(page, {name: value for name, value in old.items() if name != "is_active"})
    admin_client.post(page, old | {"email": "ana@example.com"})

    ana.refresh_from_db()
    assert (ana.is_active, ana.email) == (False, "ana@example.com")
    assert ana.has_usable_password()
    assert ana.password not in html


def test_who_saves_a_persons_page_leaves_the_moments_of_it_as_they_are(
    admin_client: Client,
) -> None:
    before, meanwhile = (datetime(2026, month, 1, 12, 30, 15, 123456, UTC) for month in (3, 4))
    ana = User.objects.create_user("ana", last_login=before, date_joined=before)
    page = f"/admin/auth/user/{ana.pk}/change/"
    old = form_on(admin_client.get(page).content.decode())
    for several in ("groups", "user_permissions"):
        old[several] = []
    User.objects.update(last_login=meanwhile)

    admin_client.post(page, old | {"email": "ana@example.com"})

    ana.refresh_from_db()
    assert ana.email == "ana@example.com"
    assert (ana.last_login, ana.date_joined) == (meanwhile, before)
