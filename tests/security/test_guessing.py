"""Nobody guesses for long: not at a client's secret, an integrator's token, a link that opens once,
a password or its second factor. Counted in the database, by all web processes together: here each
call comes to a process that has just begun, and remembers nothing of its own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from connectors.attempts import Attempts, prune_attempts
from connectors.handover import offer_handover
from connectors.models import FailedAttempts, State, Store
from connectors.second_factor import LOCKED_FOR, MOST_FAILURES, Verdict, check, offered
from tests.clock import Clock
from tests.conftest import Partner, make_operator, make_partner

ELSEWHERE = "203.0.113.9"
WINDOW = timedelta(seconds=settings.ATTEMPTS_WINDOW)


@pytest.fixture
def partner(store: Store) -> Partner:
    partner = make_partner(store, "pluga")
    partner.activation.state = State.ACTIVE
    partner.activation.save()
    return partner


def at_a_new_process(ask: Callable[[], Any]) -> Any:
    cache.clear()
    return ask()


def tool(partner: Partner, token: str = "", address: str = "127.0.0.1") -> Any:
    """It calls with the integrator's two values."""
    headers = {
        "X-Integrator-Id": partner.issued.api_user,
        "X-Integrator-Token": token or partner.issued.api_secret,
    }
    return Client(REMOTE_ADDR=address).get("/api/orders", headers=headers).status_code


def test_clients_secrets(partner: Partner) -> None:
    for number in range(settings.FAILED_ATTEMPTS):
        wrong = at_a_new_process(lambda n=number: partner.ask_token(client_secret=f"errado-{n}"))
        assert wrong.status_code == 400

    assert at_a_new_process(partner.ask_token).status_code == 429
    partner.client = Client(REMOTE_ADDR=ELSEWHERE)
    assert partner.ask_token().status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"password": "errada-de-novo"},
        {"grant_type": "authorization_code", "code": "errado-de-novo"},
    ],
)
def test_whatever_else_a_token_is_asked_for_with(form: dict[str, str], partner: Partner) -> None:
    for _number in range(settings.FAILED_ATTEMPTS):
        assert at_a_new_process(lambda: partner.ask_token(**form)).status_code == 400

    assert at_a_new_process(partner.ask_token).status_code == 429


def test_old_refresh_tokens_are_no_guesses(partner: Partner) -> None:
    old = {
        "grant_type": "refresh_token",
        "refresh_token": partner.ask_token().json()["refresh_token"],
    }
    assert partner.ask_token(**old).status_code == 200

    for _number in range(settings.FAILED_ATTEMPTS):
        assert at_a_new_process(lambda: partner.ask_token(**old)).status_code == 400

    assert at_a_new_process(partner.ask_token).status_code == 200


def test_integrators_tokens(partner: Partner) -> None:
    for _number in range(settings.FAILED_ATTEMPTS):
        assert at_a_new_process(lambda: tool(partner, "errado-de-novo")) == 401

    assert at_a_new_process(lambda: tool(partner)) == 429
    assert at_a_new_process(lambda: tool(partner, "errado-outra-vez")) == 429
    assert tool(partner, address=ELSEWHERE) == 200


def test_links_that_open_once(partner: Partner) -> None:
    client = Client()
    for number in range(settings.FAILED_ATTEMPTS):
        at_a_new_process(lambda n=number: client.post(f"/handover/nenhum-destes-{n}/"))
    _handover, token = offer_handover(partner.activation.pk, make_operator())

    there = at_a_new_process(lambda: client.post(f"/handover/{token}/"))
    elsewhere = Client(REMOTE_ADDR=ELSEWHERE).post(f"/handover/{token}/")

    shown = [answer.context.get("values") is not None for answer in (there, elsewhere)]
    assert shown == [False, True]


def test_passwords(operator: User) -> None:
    def log_in(password: str) -> int:
        answer = Client().post("/login/", {"username": operator.username, "password": password})
        return int(answer.status_code)

    for _number in range(settings.AXES_FAILURE_LIMIT):
        at_a_new_process(lambda: log_in("errada-de-novo"))

    assert at_a_new_process(lambda: log_in("segredo-da-operadora")) == 429


def test_passwords_from_a_whole_network(operator: User) -> None:
    def log_in(password: str, address: str) -> int:
        form = {"username": operator.username, "password": password}
        return int(Client(REMOTE_ADDR=address).post("/login/", form).status_code)

    for number in range(settings.AXES_FAILURE_LIMIT):
        log_in("errada-de-novo", f"2001:db8:1:1:{number}::1")

    assert log_in("segredo-da-operadora", "2001:db8:1:1:ffff::1") == 429
    assert log_in("segredo-da-operadora", "2001:db8:1:2::1") == 302
    for number in range(settings.AXES_FAILURE_LIMIT):
        log_in("errada-de-novo", f"::ffff:203.0.113.{number}")
    assert log_in("segredo-da-operadora", "::ffff:203.0.113.200") == 302


def test_passwords_of_one_name_from_everywhere(operator: User) -> None:
    def log_in(client: Client, password: str, name: str = "") -> int:
        form = {"username": name or operator.username, "password": password}
        answer = client.post("/login/", form)
        return int(answer.status_code)

    operator.username = "Łucja"
    operator.save()
    at_home = Client()
    assert log_in(at_home, "segredo-da-operadora") == 302
    at_home.post("/logout/")
    strangers = [Client(REMOTE_ADDR=f"203.0.113.{n}") for n in range(settings.NAME_ATTEMPTS + 1)]
    wide = operator.username.replace("u", "ｕ")

    for number, stranger in enumerate(strangers[1:]):
        assert log_in(stranger, "errada", wide if number % 2 else operator.username) == 200

    assert log_in(strangers[0], "segredo-da-operadora") == 429
    assert log_in(strangers[0], "segredo-da-operadora", f" {wide}") == 429
    assert log_in(at_home, "errada-uma-vez") == 200
    assert log_in(at_home, "segredo-da-operadora") == 302


def test_one_address_alone_keeps_nobody_out(operator: User) -> None:
    guesses = {"username": operator.username, "password": "errada-de-novo"}
    for _number in range(settings.NAME_ATTEMPTS + 1):
        Client().post("/login/", guesses)

    right = {**guesses, "password": "segredo-da-operadora"}
    assert Client(REMOTE_ADDR=ELSEWHERE).post("/login/", right).status_code == 302


def test_second_factors(operator: User) -> None:
    offered(operator)

    verdicts = [at_a_new_process(lambda: check(operator, "000000")) for _n in range(MOST_FAILURES)]

    assert verdicts[-1] is Verdict.LOCKED


def test_who_waited_may_try_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, somebody = Clock(), Attempts("token", "somebody")
    clock.rule(monkeypatch)
    for _number in range(settings.FAILED_ATTEMPTS):
        somebody.note()
    before = somebody.are_too_many()

    clock.go(WINDOW)
    after = somebody.are_too_many()
    somebody.note()

    assert (before, after, somebody.are_too_many()) == (True, False, False)
    assert FailedAttempts.objects.get().count == 1


def test_nobody_is_remembered_for_longer(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.rule(monkeypatch)
    Attempts("token", "old").note()
    clock.go(WINDOW)
    Attempts("token", "new").note()

    prune_attempts()

    assert FailedAttempts.objects.get().name == Attempts("token", "new").name
    assert "new" not in str(FailedAttempts.objects.values().get())


@pytest.mark.parametrize("form", [{}, {"password": ""}])
def test_a_form_without_a_password_is_no_guess(form: dict[str, str], operator: User) -> None:
    for _number in range(settings.NAME_ATTEMPTS + 1):
        Client().post("/login/", {"username": operator.username, **form})

    right = {"username": operator.username, "password": "segredo-da-operadora"}
    assert Client(REMOTE_ADDR=ELSEWHERE).post("/login/", right).status_code == 302


def test_where_the_clock_is_put_back_nobody_is_locked_out_until_then(
    operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, somebody = Clock(), Attempts("token", "somebody")
    clock.rule(monkeypatch)
    for _number in range(settings.FAILED_ATTEMPTS):
        somebody.note()
    offered(operator)
    verdicts = [check(operator, "000000") for _n in range(MOST_FAILURES)]
    before = somebody.are_too_many(), verdicts[-1]

    clock.go(timedelta(days=-1))

    assert before == (True, Verdict.LOCKED)
    assert (somebody.are_too_many(), check(operator, "000000")) == (False, Verdict.WRONG)


def test_who_waited_and_is_wrong_once_more_is_not_told_to_wait(
    operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.rule(monkeypatch)
    offered(operator)
    for _number in range(MOST_FAILURES):
        check(operator, "000000")

    clock.go(LOCKED_FOR)

    assert check(operator, "000000") is Verdict.WRONG
