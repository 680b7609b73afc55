"""How often an account may be called."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.contract import BATCH_CALLS, CALLS, Account, Flow, Meter
from connectors.errors import OutOfBudget
from connectors.models import CallBudget
from connectors.registry import SPECS
from connectors.runs.budget import AccountMeter, Spent, meter_of
from tests.clock import Clock

pytestmark = pytest.mark.django_db
LIMITS = {CALLS: 20, BATCH_CALLS: 5}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.rule(monkeypatch)
    return clock


def meter(percent: int = 100, account: str = "a") -> AccountMeter:
    return AccountMeter(account, LIMITS, percent)


def spend_all(meter: Meter, kind: str = CALLS) -> int:
    """How many calls are let through now."""
    for count in range(1000):
        try:
            meter.spend(kind)
        except OutOfBudget:
            return count
    raise AssertionError


def wait_of(meter: Meter) -> int:
    with pytest.raises(OutOfBudget) as error:
        meter.spend()
    assert error.value.after is not None
    return error.value.after


def test_a_minutes_calls_are_let_through_and_no_more() -> None:
    assert spend_all(meter()) == 20


def test_however_many_count_they_count_together() -> None:
    for _number in range(4):
        for _call in range(5):
            meter().spend()

    assert spend_all(meter()) == 0


def test_no_sixty_seconds_hold_more_than_the_limit(clock: Clock) -> None:
    moments = []

    for _second in range(600):
        moments += [clock.now] * spend_all(meter())
        clock.go(timedelta(seconds=1))

    minute = timedelta(minutes=1)
    most = max(sum(start <= each < start + minute for each in moments) for start in moments)
    # What the minute before spent is taken to be spread over it: a call more or less.
    assert most <= 21
    assert len(moments) >= 190


def test_who_waits_as_long_as_he_is_told_gets_his_call(clock: Clock) -> None:
    for _time in range(10):
        spend_all(meter())

        clock.go(timedelta(seconds=wait_of(meter())))

        assert spend_all(meter()) >= 1


@pytest.mark.parametrize(
    ("percent", "calls"), [(100, 20), (90, 18), (80, 16), (70, 14), (60, 12), (1, 1)]
)
def test_the_less_urgent_leave_a_part_to_the_others(percent: int, calls: int) -> None:
    assert spend_all(meter(percent)) == calls
    assert spend_all(meter()) == 20 - calls


def test_orders_get_through_however_much_the_catalogue_has_to_do(clock: Clock) -> None:
    through = []

    for _minute in range(20):
        for _second in range(60):
            spend_all(meter(60))
            clock.go(timedelta(seconds=1))
        through.append(spend_all(meter()))

    assert min(through) >= 8


def test_batch_calls_have_a_budget_of_their_own() -> None:
    spend_all(meter())

    assert spend_all(meter(), BATCH_CALLS) == 5


def test_accounts_do_not_share() -> None:
    spend_all(meter(account="a"))

    assert spend_all(meter(account="b")) == 20


def test_what_the_platform_says_of_its_limit_counts() -> None:
    first = meter()
    first.spend()

    first.learn(60)
    first.learn(60)

    assert spend_all(meter()) == 59


def test_an_account_whose_plan_has_no_calls_still_asks_once_a_minute(clock: Clock) -> None:
    first = meter()
    first.spend()
    first.learn(0)
    calls = 0

    for _second in range(600):
        calls += spend_all(meter())
        clock.go(timedelta(seconds=1))

    assert 4 <= calls <= 10


def test_a_minute_that_the_platform_says_is_used_up_is(clock: Clock) -> None:
    meter().exhaust()

    assert spend_all(meter()) == 0
    assert 60 <= wait_of(meter()) <= 64


def test_a_long_silence_is_forgotten(clock: Clock) -> None:
    spend_all(meter())

    clock.go(timedelta(seconds=120))

    assert spend_all(meter()) == 20


# -- Whose budget it is ----------------------------------------------------------------------------


def test_a_connector_without_a_limit_counts_nothing() -> None:
    account = Account("https://loja.example.com", {"token": "t"})

    assert spend_free(meter_of(account, SPECS["rocky"], Flow.ORDERS))
    assert not CallBudget.objects.exists()


def spend_free(meter: Meter) -> bool:
    for _call in range(50):
        meter.spend()
    meter.learn(1)
    meter.exhaust()
    return True


OLIST = replace(SPECS["olist"], calls_per_minute=LIMITS)


def test_two_integrations_with_the_same_token_are_one_account() -> None:
    def calls(url: str, integrator: str, token: str, flow: Flow | None = None) -> int:
        account = Account(url, {"integrator_id": integrator, "token": token})
        return spend_all(meter_of(account, OLIST, flow))

    assert calls("https://erp.example.com/api2/", "1", "t", Flow.PRODUCTS) == 12
    assert calls("https://erp.example.com/api2", "2", "t") == 8
    assert calls("https://erp.example.com/api2", "1", "other") == 20


def test_no_token_stands_in_the_table() -> None:
    account = Account("https://erp.example.com", {"integrator_id": "1", "token": "very secret"})

    meter_of(account, OLIST, None).spend()

    assert "very secret" not in str(CallBudget.objects.values().get())


def test_a_clock_that_is_put_back_does_not_end_the_calls(clock: Clock) -> None:
    meter().spend()

    clock.go(timedelta(hours=-1))

    assert spend_all(meter()) == 19
    assert wait_of(meter()) <= 2 * 60


def test_what_was_spent_is_seen_without_spending(clock: Clock) -> None:
    for _call in range(20):
        meter().spend()

    calls, batches = meter().spent()

    assert (calls.kind, calls.calls, calls.limit) == (CALLS, 20, 20)
    assert calls.free_at == timezone.now() + timedelta(seconds=wait_of(meter()))
    assert batches == Spent(BATCH_CALLS, 0, 5, None)
    clock.go(timedelta(seconds=90))
    assert meter().spent()[0] == Spent(CALLS, 10, 20, None)
    assert CallBudget.objects.get().used == 20
