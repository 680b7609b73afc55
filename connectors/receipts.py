"""The receipt of an activation: what was switched on, by whom, as it was at that moment."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from connectors.describe import MODE_LABELS, rows
from connectors.models import Activation, Receipt, Verdict
from connectors.moments import when
from connectors.spec import Mode


@transaction.atomic
def write_receipt(activation: Activation, by: User) -> Receipt:
    """In the reader's words, because it is kept and printed as it is."""
    credential = activation.credentials.first()
    trial = activation.trials.ended().select_related("asked_by").first()
    facts: dict[str, Any] = {
        "store": [activation.store.name, activation.store.cnpj, activation.store.domain],
        "connector": activation.connector.name,
        "mode": str(MODE_LABELS[Mode(activation.mode)]),
        "name": activation.name,
        "custom_name": activation.custom_name,
        "plugin_url": activation.plugin_url,
        "state": str(activation.get_state_display()),
        "by": _person(by),
        "capabilities": [[str(label), str(text)] for label, text in rows(activation.spec)],
        "credential": credential
        and {
            "kind": str(credential.get_kind_display()),
            "fingerprint": credential.fingerprint,
            "created_at": _moment(credential.created_at),
        },
        "test": trial
        and {
            "at": _moment(trial.ended_at),
            "by": _person(trial.asked_by),
            "results": [
                [name, str(Verdict(verdict).label), text] for name, verdict, text in trial.results
            ],
        },
    }
    return Receipt.objects.create(activation=activation, created_by=by, facts=facts)


def _person(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _moment(moment: datetime | None) -> str:
    return when(moment) if moment else ""
