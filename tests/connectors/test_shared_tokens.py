"""One token for all runs of an activation: several processes at the same moment."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from connectors import shared_tokens
from connectors.contract import Token
from connectors.errors import Unavailable
from connectors.models import Activation, SharedToken
from connectors.services import record_credential
from connectors.shared_tokens import SharedTokens
from tests.conftest import make_managed, make_operator, make_store
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)
RECEIVED = {"client_id": "a", "client_secret": "b", "api_user": "1", "api_secret": "d"}


@pytest.fixture
def activation() -> Activation:
    return make_managed(make_store(), "pluggto", "https://api.plugg.to", RECEIVED)


def token(access: str) -> Token:
    return Token(access, f"refresh of {access}", timezone.now() + timedelta(minutes=50))


def test_of_several_that_need_a_token_one_asks_and_all_have_it(activation: Activation) -> None:
    asked: list[Token | None] = []

    def ask(kept: Token | None) -> Token:
        asked.append(kept)
        threading.Event().wait(0.3)  # the platform takes its time
        return token(f"number {len(asked)}")

    answers = all_at_once(lambda: SharedTokens(activation).renew(None, ask), Unavailable)

    assert asked == [None]
    assert {each.access for each in answers} == {"number 1"}


def test_of_several_whose_token_is_worn_one_renews_it(activation: Activation) -> None:
    worn = SharedTokens(activation).renew(None, lambda _kept: token("worn"))
    asked: list[Token | None] = []

    def ask(kept: Token | None) -> Token:
        asked.append(kept)
        threading.Event().wait(0.3)
        return token("new")

    answers = all_at_once(lambda: SharedTokens(activation).renew(worn, ask), Unavailable)

    assert [kept.refresh for kept in asked if kept] == ["refresh of worn"]
    assert {each.access for each in answers} == {"new"}


def test_who_saw_a_token_that_was_renewed_since_asks_for_none(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, asked = SharedTokens(activation), []
    worn = tokens.renew(None, lambda _kept: token("worn"))
    may_ask = SharedTokens._may_ask

    def too_late(self: SharedTokens, seen: SharedToken) -> bool:
        monkeypatch.undo()
        self.renew(worn, lambda _kept: token("new"))
        return may_ask(self, seen)

    def ask(kept: Token | None) -> Token:
        asked.append(kept)
        return token("newer")

    monkeypatch.setattr(SharedTokens, "_may_ask", too_late)

    assert (tokens.renew(worn, ask).access, asked) == ("new", [])


def test_nobody_writes_in_the_database_while_the_platform_thinks(activation: Activation) -> None:
    """A lock that is held meanwhile would stop every writer of a SQLite database."""

    def ask(kept: Token | None) -> Token:
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=5)
        assert not writer.is_alive()
        return token("new")

    def write() -> None:
        Activation.objects.filter(pk=activation.pk).update(custom_name="meanwhile")
        connection.close()

    SharedTokens(activation).renew(None, ask)

    activation.refresh_from_db()
    assert activation.custom_name == "meanwhile"


def test_one_who_was_refused_lets_the_next_one_try(activation: Activation) -> None:
    tokens = SharedTokens(activation)

    def refuse(kept: Token | None) -> Token:
        raise Unavailable("down")

    with pytest.raises(Unavailable):
        tokens.renew(None, refuse)

    assert tokens.renew(None, lambda _kept: token("second")).access == "second"


def test_one_who_died_while_he_asked_is_not_waited_for_for_ever(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_tokens, "ASKING", timedelta(seconds=0.3))
    tokens = SharedTokens(activation)
    SharedToken.objects.create(
        credential_id=tokens.credential_id, asking_until=timezone.now() + shared_tokens.ASKING
    )

    assert tokens.renew(None, lambda _kept: token("new")).access == "new"


def test_one_who_died_before_the_clock_was_put_back_is_not_waited_for(
    activation: Activation,
) -> None:
    tokens, tomorrow = SharedTokens(activation), timezone.now() + timedelta(days=1)
    SharedToken.objects.create(credential_id=tokens.credential_id, asking_until=tomorrow)

    renewed = tokens._may_ask(SharedToken.objects.get())

    assert renewed


def test_a_token_is_sealed_where_it_is_kept(activation: Activation) -> None:
    SharedTokens(activation).renew(None, lambda _kept: token("a-secret-token"))

    row = SharedToken.objects.values().get()

    assert "a-secret-token" not in repr(row)
    assert SharedTokens(activation).get() == Token(
        "a-secret-token", "refresh of a-secret-token", row["renew_at"]
    )


def test_new_credentials_begin_without_the_old_ones_token(activation: Activation) -> None:
    SharedTokens(activation).renew(None, lambda _kept: token("old"))

    record_credential(activation, {**RECEIVED, "api_secret": "new"}, make_operator())

    assert SharedTokens(activation).get() is None
