"""What ended long ago is forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from connectors.models import Activation, Run, Store
from connectors.runs import pruning
from connectors.runs.pruning import prune_runs
from tests.conftest import make_activation

DAY = timedelta(days=1)


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_activation(store, "rocky")


def ran(activation: Activation, ago: timedelta, outcome: str = "done", changed: int = 0) -> Run:
    started_at = timezone.now() - ago
    return Run.objects.create(
        activation=activation,
        ability="StockSource",
        flow="stock",
        started_at=started_at,
        expires_at=started_at + DAY,
        ended_at=None if outcome == "running" else started_at,
        outcome=outcome,
        changed=changed,
    )


def test_a_run_that_says_little_is_kept_for_days_and_the_others_for_weeks(
    activation: Activation,
) -> None:
    kept = [
        ran(activation, DAY),
        ran(activation, 3 * DAY, changed=1),
        ran(activation, 29 * DAY, "failed"),
        ran(activation, 90 * DAY, "running"),
    ]
    for old in (ran(activation, 3 * DAY), ran(activation, 31 * DAY, "failed")):
        assert old.pk

    prune_runs()

    assert list(Run.objects.order_by("pk")) == kept


def test_very_many_are_forgotten_some_at_a_time(
    activation: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    for _number in range(3):
        ran(activation, 3 * DAY)

    prune_runs()

    assert Run.objects.count() == 1
    assert OrmQ.objects.get().func() == "connectors.runs.pruning.prune_runs"
