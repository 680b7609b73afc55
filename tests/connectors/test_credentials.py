"""Credentials that end: by a rotation's overlap, by an earlier date, at once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.errors import Refused
from connectors.messages.delivery import webhook_secrets
from connectors.models import AccessToken, Act, AuthorizationCode, Credential, Store
from connectors.services import (
    end_credential,
    record_credential,
    revoke_credential,
    rotate_credential,
)
from tests.conftest import Partner, make_managed, make_partner
from tests.connectors.admin.conftest import somebody_who_may

LATER = timedelta(days=8)


@pytest.fixture
def partner(store: Store) -> Partner:
    return make_partner(store, "rocky")


def end_now(partner: Partner) -> None:
    partner.activation.credentials.update(ends_at=timezone.now())


def test_the_old_ones_end_by_themselves_after_the_overlap(partner: Partner, operator: User) -> None:
    assert partner.get("/orders").status_code == 200
    new = Partner(
        partner.activation, rotate_credential(partner.activation.pk, operator, timedelta(days=1))
    )
    old, fresh = partner.activation.credentials.order_by("pk")
    assert old.ends_at is not None
    assert fresh.ends_at is None
    assert len(webhook_secrets(partner.activation.pk)) == 2

    Credential.objects.filter(pk=old.pk).update(ends_at=timezone.now())

    assert partner.get("/orders").status_code == 401  # its tokens end with it
    assert partner.ask_token().status_code == 400
    assert new.get("/orders").status_code == 200
    assert len(webhook_secrets(partner.activation.pk)) == 1


def test_an_ended_integrators_pair_is_refused(store: Store) -> None:
    pluga = make_partner(store, "pluga")
    pair = {
        "X-Integrator-Id": pluga.issued.api_user,
        "X-Integrator-Token": pluga.issued.api_secret,
    }
    assert Client().get("/api/orders", headers=pair).status_code == 200

    end_now(pluga)

    assert Client().get("/api/orders", headers=pair).status_code == 401


def test_asking_whether_it_ended_costs_no_query(partner: Partner) -> None:
    partner.get("/orders")
    with CaptureQueriesContext(connection) as before:
        partner.get("/orders")
    partner.activation.credentials.update(ends_at=timezone.now() + LATER)

    with CaptureQueriesContext(connection) as after:
        partner.get("/orders")

    assert len(after) == len(before)


def test_an_end_is_brought_forward_and_never_put_off(partner: Partner, operator: User) -> None:
    rotate_credential(partner.activation.pk, operator)
    old = partner.activation.credentials.last()
    tomorrow = timezone.now() + timedelta(days=1)

    end_credential(old.pk, tomorrow)

    old.refresh_from_db()
    assert old.ends_at == tomorrow
    with pytest.raises(Refused):
        end_credential(old.pk, tomorrow + LATER)


def test_a_second_rotation_does_not_put_off_an_earlier_end(
    partner: Partner, operator: User
) -> None:
    rotate_credential(partner.activation.pk, operator, timedelta(days=1))
    first_end = partner.activation.credentials.last().ends_at

    rotate_credential(partner.activation.pk, operator, timedelta(days=30))

    assert partner.activation.credentials.last().ends_at == first_end


def test_the_page_says_what_stops_and_then_revokes_at_once(
    partner: Partner, operator: User
) -> None:
    assert partner.get("/orders").status_code == 200
    credential = partner.activation.credentials.get()
    client, page = Client(), f"/admin/connectors/credential/{credential.pk}/revoke/"
    client.force_login(operator)

    asked = client.get(page).content.decode()

    for words in ("Fluxos desta integração", "127.0.0.1", "Pedidos em aberto", "1 tokens pedidos"):
        assert words in asked
    assert partner.get("/orders").status_code == 200
    client.post(page)
    assert partner.get("/orders").status_code == 401
    act = Act.objects.get()
    assert (act.by, act.store, act.what) == (
        operator, partner.activation.store, "Credencial revogada.",
    )  # fmt: skip
    assert "revogada em" in act.changes


def test_the_whole_integration_says_what_stops_too(partner: Partner, operator: User) -> None:
    client, page = Client(), f"/admin/connectors/activation/{partner.activation.pk}/revoke/"
    client.force_login(operator)
    assert "O que para se eu fizer isto?" in client.get(page).content.decode()

    client.post(page)

    partner.activation.refresh_from_db()
    assert partner.activation.state == "revoked"
    assert Act.objects.get().changes["situação"][1] == "Revogada"


def test_the_end_is_brought_forward_on_its_page(partner: Partner, operator: User) -> None:
    credential = partner.activation.credentials.get()
    client, page = Client(), f"/admin/connectors/credential/{credential.pk}/end/"
    client.force_login(operator)
    assert "Antecipar o fim" in client.get(page).content.decode()

    client.post(page, {"ends_at_0": "01/01/2020", "ends_at_1": "10:00:00"})

    assert partner.ask_token().status_code == 400


def test_an_end_that_no_clock_shows_is_refused(partner: Partner, operator: User) -> None:
    credential = partner.activation.credentials.get()
    client = Client()
    client.force_login(operator)

    answer = client.post(
        f"/admin/connectors/credential/{credential.pk}/end/",
        {"ends_at_0": "31/12/9999", "ends_at_1": "23:59:59"},
    )

    assert "Confira o ano." in answer.content.decode()
    assert partner.ask_token().status_code == 200


def test_a_received_one_of_which_no_end_is_known_says_so(store: Store, operator: User) -> None:
    managed = make_managed(store, "rocky", "https://loja.example", {"token": "t"})
    client = Client()
    client.force_login(operator)

    page = client.get("/admin/connectors/credential/").content.decode()

    assert "Validade desconhecida" in page
    record_credential(managed, {"token": "u"}, operator, timezone.now() + LATER)
    assert "Vale até" in client.get("/admin/connectors/credential/").content.decode()
    assert list(Credential.objects.ending(LATER * 2)) == [managed.credentials.first()]
    assert not Credential.objects.ending(timedelta(days=1))


def test_an_old_one_that_ends_is_told_of_until_the_partner_has_come_in_with_the_new(
    partner: Partner, operator: User
) -> None:
    def ending() -> list[Credential]:
        return list(Credential.objects.ending(LATER))

    partner.get("/orders")
    old = partner.activation.credentials.get()
    issued = rotate_credential(partner.activation.pk, operator)
    unused = ending()
    Partner(partner.activation, issued).get("/orders")

    assert (unused, ending()) == ([old], [])


def test_one_that_ends_is_told_of_where_what_followed_was_revoked(
    partner: Partner, operator: User
) -> None:
    rotate_credential(partner.activation.pk, operator)
    new, old = partner.activation.credentials.all()
    before = list(Credential.objects.ending(LATER))

    revoke_credential(new.pk, operator)

    assert (before, list(Credential.objects.ending(LATER))) == ([], [old])


def test_no_page_of_a_credential_shows_a_hash_or_what_is_sealed(
    partner: Partner, operator: User
) -> None:
    credential = partner.activation.credentials.get()
    client = Client()
    client.force_login(operator)

    page = client.get(f"/admin/connectors/credential/{credential.pk}/change/").content.decode()

    assert credential.fingerprint in page
    for value in (credential.client_secret_hash, credential.api_secret_hash, credential.sealed):
        assert value not in page


def test_who_may_not_revoke_is_not_even_asked(partner: Partner) -> None:
    credential = partner.activation.credentials.get()
    client = somebody_who_may("view_credential", "view_activation", "change_activation")

    for path in (
        f"credential/{credential.pk}/revoke/",
        f"credential/{credential.pk}/end/",
        f"activation/{partner.activation.pk}/revoke/",
        f"activation/{partner.activation.pk}/revoke-older/",
        f"activation/{partner.activation.pk}/billing/",
    ):
        assert client.post(f"/admin/connectors/{path}").status_code == 403
    assert partner.get("/orders").status_code == 200


def test_what_they_are_swapped_for_is_named_by_our_clock(partner: Partner) -> None:
    credential = partner.activation.credentials.get()
    ends_at = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
    token = AccessToken(credential=credential, access_expires_at=ends_at)
    code = AuthorizationCode(activation=partner.activation, expires_at=ends_at)

    assert str(token) == f"{credential} · 31/03/2026 22:30"
    assert str(code) == f"{partner.activation} · 31/03/2026 22:30"
