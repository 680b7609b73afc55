"""Credentials that reach a partner by a link: once, in time, and on record."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from connectors import handover
from connectors.errors import NotAllowed, Refused
from connectors.handover import offer_handover, open_handover, withdraw_handovers
from connectors.hashing import digest
from connectors.models import Credential, Handover, Store
from connectors.services import revoke
from tests.conftest import Partner, make_managed, make_operator, make_partner, make_store
from tests.connectors.admin.conftest import values_shown
from tests.threads import one_within_another


@pytest.fixture
def partner(store: Store) -> Partner:
    return make_partner(store, "rocky")


def link_for(partner: Partner) -> str:
    _row, token = offer_handover(partner.activation.pk, make_operator())
    return f"/handover/{token}/"


def test_the_operator_creates_the_link_and_the_partner_opens_it_once(
    partner: Partner, operator: User
) -> None:
    staff = Client()
    staff.force_login(operator)
    page = f"/admin/connectors/activation/{partner.activation.pk}/hand-over/"
    made = staff.post(page, {"days": 1}).content.decode()
    match = re.search(r"data-handover>http://testserver([^<]+)<", made)
    assert match is not None
    stranger = Client(headers={"user-agent": "Navegador do parceiro"})

    opened = stranger.post(match[1])

    values = values_shown(opened.content.decode())
    new = Partner(partner.activation, type("Issued", (), values))
    assert new.get("/orders").status_code == 200
    row = Handover.objects.get()
    assert row.credential == partner.activation.credentials.first()
    assert (row.opened_from, row.opened_with) == ("127.0.0.1", "Navegador do parceiro")
    again = stranger.post(match[1]).content.decode()
    assert values_shown(again) == {}
    assert "Ele já foi aberto" in again


def test_a_link_that_was_opened_is_not_withdrawn_by_the_next(partner: Partner) -> None:
    Client().post(link_for(partner))

    link_for(partner)

    assert Handover.objects.earliest("pk").withdrawn_at is None


def test_looking_at_the_link_opens_nothing(partner: Partner) -> None:
    link = link_for(partner)
    before = Credential.objects.count()

    pages = [Client().get(link) for _scanner in range(3)] + [Client().head(link)]

    assert {page.status_code for page in pages} == {200}
    assert "Ver as credenciais" in pages[0].content.decode()
    assert Credential.objects.count() == before
    assert Handover.objects.get().situation == "waiting"


def test_nobody_keeps_follows_or_indexes_the_link(partner: Partner) -> None:
    link = link_for(partner)

    for answer in (Client().get(link), Client().post(link), Client().get("/handover/x/")):
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]


def test_only_the_hash_of_the_link_is_kept_and_no_value_before_it_is_opened(
    partner: Partner,
) -> None:
    row, token = offer_handover(partner.activation.pk, make_operator())

    assert row.token_hash == digest(token)
    assert row.credential is None
    assert partner.activation.credentials.count() == 1


def test_what_nobody_used_ends_and_what_is_in_use_goes_on_for_a_while(store: Store) -> None:
    unused, used = make_partner(store, "rocky"), make_partner(store, "rocky")
    assert used.get("/orders").status_code == 200

    for partner in (unused, used):
        Client().post(link_for(partner))

    assert unused.ask_token().status_code == 400
    assert used.get("/orders").status_code == 200
    ends_at = used.activation.credentials.last().ends_at
    assert timedelta(days=6) < ends_at - timezone.now() < timedelta(days=7)


def test_an_expired_a_withdrawn_a_replaced_and_an_invented_link_open_nothing(
    store: Store, operator: User
) -> None:
    expired, withdrawn, replaced = (make_partner(store, "rocky") for _n in range(3))
    links = [link_for(each) for each in (expired, withdrawn, replaced)]
    Handover.objects.filter(activation=expired.activation).update(expires_at=timezone.now())
    assert withdraw_handovers(withdrawn.activation.pk, operator) == 1
    assert withdraw_handovers(withdrawn.activation.pk, operator) == 0
    link_for(replaced)

    for link in [*links, "/handover/inventado/"]:
        page = Client().post(link).content.decode()
        assert values_shown(page) == {}
        assert "Este link não vale mais" in page

    assert Credential.objects.count() == 3


def test_whoever_guesses_links_waits_even_with_a_right_one(
    partner: Partner,
) -> None:
    link, client = link_for(partner), Client()
    for number in range(20):
        client.get(f"/handover/palpite-{number}/")

    assert values_shown(client.post(link).content.decode()) == {}
    assert Handover.objects.get().situation == "waiting"
    elsewhere = Client(REMOTE_ADDR="203.0.113.9").post(link)
    assert "client_secret" in values_shown(elsewhere.content.decode())


def test_a_revoked_integration_issues_nothing_any_more(partner: Partner, operator: User) -> None:
    _row, token = offer_handover(partner.activation.pk, operator)
    revoke(partner.activation.pk, operator)

    with pytest.raises(Refused):
        open_handover(token, None, "")
    with pytest.raises(NotAllowed):
        offer_handover(partner.activation.pk, operator)


def test_what_we_did_not_issue_cannot_be_handed_over(store: Store, operator: User) -> None:
    managed = make_managed(store, "rocky", "https://loja.example", {"token": "t"})

    with pytest.raises(NotAllowed):
        offer_handover(managed.pk, operator)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time")
def test_a_link_is_opened_while_another_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    activation, by = make_partner(make_store(), "rocky").activation, make_operator()
    _row, token = offer_handover(activation.pk, by)

    faults = one_within_another(
        monkeypatch,
        handover,
        "rotate_credential",
        lambda: open_handover(token, "127.0.0.1", "Navegador"),
        lambda: offer_handover(activation.pk, by),
    )

    assert faults == []
    situations = Handover.objects.order_by("pk")
    assert [row.situation for row in situations] == ["opened", "waiting"]


@pytest.mark.django_db(transaction=True)
def test_of_two_links_made_at_once_one_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    activation, by = make_partner(make_store(), "rocky").activation, make_operator()

    def offer() -> None:
        offer_handover(activation.pk, by)

    faults = one_within_another(monkeypatch, handover, "digest", offer, lambda: offer())

    assert faults == []
    assert Handover.objects.waiting().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_withdrawn_while_it_is_opened_was_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    activation, by = make_partner(make_store(), "rocky").activation, make_operator()
    _row, token = offer_handover(activation.pk, by)
    withdrawn = []

    faults = one_within_another(
        monkeypatch,
        handover,
        "rotate_credential",
        lambda: open_handover(token, "127.0.0.1", "Navegador"),
        lambda: withdrawn.append(withdraw_handovers(activation.pk, by)),
    )

    assert faults == []
    assert (Handover.objects.get().situation, withdrawn) == ("opened", [0])
