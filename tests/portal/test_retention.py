"""What becomes of every table that grows, in the end: a task forgets its rows, or there is a reason
why they stay."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.models import OrmQ

from catalog.spreadsheets.jobs import prune_spreadsheets
from catalog.taking import prune_pages
from connectors.attempts import prune_attempts
from connectors.comparisons import prune_comparisons
from connectors.hub.tokens import prune_tokens
from connectors.messages.hooks import prune_events
from connectors.messages.notices import prune_notices
from connectors.messages.rings import prune_rings
from connectors.models import Alert, Failure, Incident, Store
from connectors.runs.pruning import prune_runs
from connectors.trouble import pruning
from connectors.trouble.pruning import prune_troubles
from orders.statistics import fold_all_tallies
from portal.pruning import prune_sessions
from portal.schedules import RECURRING
from tests.conftest import make_activation

TRUTH = "what was sold, to whom, and how it went: the merchant's, as long as the store is"
CATALOGUE = "as many as there are products, integrations of them, or open sales"
DEEDS = "what people did and agreed to: few, and asked for years later"
SETUP = "as many as people set up"
QUEUE = "gone as soon as it was done"
FORGOTTEN_BY: dict[str, Callable[[], None] | str] = {
    "admin.LogEntry": DEEDS,
    "axes.AccessAttempt": prune_sessions,
    "axes.AccessAttemptExpiration": prune_sessions,  # with its attempt
    "axes.AccessFailureLog": "switched off in the settings",
    "axes.AccessLog": "switched off in the settings",
    "catalog.Modification": CATALOGUE,
    "catalog.Price": CATALOGUE,
    "catalog.Product": CATALOGUE,
    "catalog.Reservation": CATALOGUE,
    "catalog.Sent": CATALOGUE,
    "catalog.SkuMapping": CATALOGUE,
    "catalog.Spreadsheet": prune_spreadsheets,
    "catalog.SpreadsheetRow": prune_spreadsheets,
    "catalog.Stock": CATALOGUE,
    "catalog.Taken": CATALOGUE,
    "catalog.TakenPage": prune_pages,
    "connectors.AccessToken": prune_tokens,
    "connectors.Act": DEEDS,
    "connectors.Alert": prune_troubles,
    "connectors.Ask": DEEDS,
    "connectors.AuthorizationCode": prune_tokens,
    "connectors.Brake": DEEDS,
    "connectors.CallBudget": SETUP,
    "connectors.Comparison": prune_comparisons,
    "connectors.Credential": DEEDS,
    "connectors.Delivery": prune_events,
    "connectors.Difference": prune_comparisons,
    "connectors.Event": prune_events,
    "connectors.FailedAttempts": prune_attempts,
    "connectors.Failure": prune_troubles,
    "connectors.Handover": DEEDS,
    "connectors.Heartbeat": "one row",
    "connectors.Incident": prune_troubles,
    "connectors.Listed": prune_comparisons,  # at the latest; else at the comparison's end
    "connectors.Notice": prune_notices,
    "connectors.Receipt": DEEDS,
    "connectors.Repair": DEEDS,
    "connectors.Ring": prune_rings,
    "connectors.Run": prune_runs,
    "connectors.Trial": DEEDS,
    "django_q.OrmQ": QUEUE,
    "django_q.Task": prune_sessions,
    "orders.BuyerMail": TRUTH,
    "orders.Erasure": DEEDS,
    "orders.Line": TRUTH,
    "orders.Order": TRUTH,
    "orders.OrderLink": TRUTH,
    "orders.OrderWord": TRUTH,
    "orders.Payment": TRUTH,
    "orders.Shipment": TRUTH,
    "orders.StatusChange": TRUTH,
    "orders.Tally": fold_all_tallies,
    "orders.WrittenOrder": TRUTH,
    "sessions.Session": prune_sessions,
    **dict.fromkeys(
        (
            "auth.Group", "auth.Group_permissions", "auth.Permission", "auth.User",
            "auth.User_groups", "auth.User_user_permissions", "connectors.Activation",
            "connectors.ActivationFlow", "connectors.ActivationStep", "connectors.BillingTerm",
            "connectors.Connector", "connectors.Doorbell", "connectors.Endpoint",
            "connectors.RecoveryCode", "connectors.SecondFactor", "connectors.SharedToken",
            "connectors.Store", "connectors.Store_members", "connectors.Subscription",
            "contenttypes.ContentType", "django_q.Schedule",
        ),
        SETUP,
    ),
}  # fmt: skip
LONG_AGO = timezone.now() - timedelta(days=400)


def test_every_table_has_its_answer() -> None:
    models = apps.get_models(include_auto_created=True)

    assert {model._meta.label for model in models if not model._meta.proxy} == set(FORGOTTEN_BY)


def test_whatever_forgets_is_a_recurring_task() -> None:
    tasks = {answer for answer in FORGOTTEN_BY.values() if callable(answer)}

    assert tasks <= {recurring.task for recurring in RECURRING}


def fail(store: Store, **fields: Any) -> Failure:
    return Failure.objects.create(
        activation=make_activation(store, "rocky"), flow="stock", kind="rejected", **fields
    )


def test_troubles_that_were_over_long_ago_are_forgotten(store: Store) -> None:
    now = timezone.now()
    open_one, mended = fail(store, first_at=LONG_AGO), fail(store, resolved_at=now)
    fail(store, resolved_at=LONG_AGO, payload={"sku": "A"})
    going_on = Incident.objects.create(activation=open_one.activation, kind="refused")
    Incident.objects.create(activation=open_one.activation, kind="refused", ended_at=LONG_AGO)
    waiting = Alert.objects.create(channel="email", message_id="1")
    Alert.objects.create(channel="email", message_id="3", created_at=LONG_AGO)
    Alert.objects.create(channel="email", message_id="2", sent_at=LONG_AGO)

    prune_troubles()

    assert list(Failure.objects.order_by("pk")) == [open_one, mended]
    assert list(Incident.objects.all()) == [going_on]
    assert list(Alert.objects.all()) == [waiting]


def test_very_many_troubles_are_forgotten_some_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    for _number in range(3):
        fail(store, resolved_at=LONG_AGO)

    prune_troubles()

    assert Failure.objects.count() == 1
    assert OrmQ.objects.get().func() == "connectors.trouble.pruning.prune_troubles"


def test_sessions_that_ended_are_forgotten(db: None) -> None:
    for key, days in (("over", -1), ("good", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days)
        )

    prune_sessions()

    assert list(Session.objects.values_list("pk", flat=True)) == ["good"]
