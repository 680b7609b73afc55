"""What a platform's support needs to see of a failure: who asked what, when, and what was
answered. Without secrets, and without anybody's personal data."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from connectors.contract import Flow
from connectors.exchanges import shortened
from connectors.models import Failure
from connectors.redaction import without_people, without_secrets
from connectors.sealing import unseal_known
from connectors.spec import Mode


def evidence_of(failure: Failure) -> dict[str, Any]:
    """As JSON. Needs the activation's connector and store."""
    activation = failure.activation
    run = failure.run
    bundle = {
        "made_at": timezone.now(),
        "versions": {"tomada": _own_version(), "connector": activation.spec.slug},
        "ids": {
            "failure": failure.pk,
            "run": run.pk if run else None,
            "activation": activation.pk,
            "store": activation.store_id,
            "record": failure.record_id,
        },
        "system": {
            "connector": activation.spec.name,
            "mode": activation.mode,
            "host": urlsplit(activation.plugin_url).hostname,
        },
        "operation": {
            "flow": failure.flow,
            "ability": failure.ability,
            "direction": "out" if failure.is_push else "in",
            "what": str(Flow(failure.flow).label) if failure.flow else "",
        },
        "times": {
            "first_at": failure.first_at,
            "last_at": failure.last_at,
            "times": failure.times,
            "run_started_at": run.started_at if run else None,
            "resolved_at": failure.resolved_at,
        },
        "cause": {
            "code": failure.cause,
            "title": str(failure.known_cause.title),
            "who_acts": str(failure.known_cause.actor.label),
            "reason": failure.reason,
        },
        "exchange": failure.exchange,
        "source": shortened(failure.payload),
        "translated": shortened(failure.translated),
        "corrected": shortened(failure.edited),
    }
    clean: dict[str, Any] = without_people(without_secrets(bundle, _secrets_of(failure)))
    return clean


def _secrets_of(failure: Failure) -> tuple[str, ...]:
    """Also of credentials that were in use when it failed, and are not any more."""
    if failure.activation.mode != Mode.MANAGED:
        return ()
    names = {each.key for each in failure.activation.spec.credentials if each.secret}
    received = failure.activation.credentials.received()
    return tuple(
        value
        for sealed in received.values_list("sealed", flat=True)
        for name, value in unseal_known(sealed).items()
        if name in names
    )


def _own_version() -> str:
    try:
        return version("tomada")
    except PackageNotFoundError:
        return ""
