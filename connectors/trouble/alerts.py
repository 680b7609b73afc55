"""Telling support of incidents, by e-mail and by webhook.

An alert is stored, as it is to read, in the transaction that marks its incidents as told; it leaves
by itself afterwards, after waits that double from a minute to an hour, for three days. Each attempt
is written down before it is made: whoever dies at it repeats one message, with the same id.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPException
from time import monotonic
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.errors import ConnectorError, Unavailable
from connectors.http import send
from connectors.messages.signing import signature_headers
from connectors.models import Alert, Incident, new_message_id
from connectors.moments import when
from connectors.queue import enqueue

AT_ONCE = 100  # incidents in one message
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
TURN_SECONDS = 60


def tell(incidents: Sequence[Incident], *, healed: bool) -> None:
    """One message per channel, whatever began or ended at this moment; more only where it would
    be too long to read."""
    alerts: list[Alert] = []
    for start in range(0, len(incidents), AT_ONCE):
        some = incidents[start : start + AT_ONCE]
        subject = _subject(some, healed)
        letter = "\n\n".join(_paragraph(incident) for incident in some)
        kind = "incidents.healed" if healed else "incidents.opened"
        described = [_described(incident) for incident in some]
        alerts += _alerts(subject, letter, kind, subject, {"incidents": described})
    _store(alerts)


def tell_text(subject: str, text: str) -> None:
    """Something else that needs a person, in the caller's transaction."""
    _store(_alerts(subject[:200], text, "asked", text, {}))


def _alerts(subject: str, letter: str, kind: str, text: str, data: dict[str, Any]) -> list[Alert]:
    """The same for each channel that there is; `text` is what chat programs show."""
    bodies = {}
    if settings.ALERT_EMAILS:
        bodies[Alert.Channel.EMAIL] = letter
    if settings.ALERT_WEBHOOK_URL:
        event = {
            "type": kind, "timestamp": timezone.now().isoformat(), "text": text, "data": data
        }  # fmt: skip
        bodies[Alert.Channel.WEBHOOK] = json.dumps(event, ensure_ascii=False)
    return [
        Alert(channel=channel, message_id=new_message_id(), subject=subject, body=body)
        for channel, body in bodies.items()
    ]


def _store(alerts: list[Alert]) -> None:
    Alert.objects.bulk_create(alerts)
    if alerts:
        enqueue(deliver_all_alerts)


def _page_url(incident: Incident) -> str:
    """The page on which a person mends it."""
    path = reverse("admin:connectors_activation_change", args=[incident.activation_id])
    return urljoin(settings.PORTAL_URL, path)


def _subject(incidents: Sequence[Incident], healed: bool) -> str:
    first = incidents[0]
    if len(incidents) == 1:
        text = _("Normalizou: %s") if healed else _("Precisa de alguém: %s")
        return " ".join((text % first).split())[:200]
    text = _("Incidentes que normalizaram: %d") if healed else _("Incidentes novos: %d")
    return text % len(incidents)


def _paragraph(incident: Incident) -> str:
    about = _("%(connector)s, desde %(since)s") % {
        "connector": incident.activation.connector,
        "since": when(incident.opened_at),
    }
    return "\n".join(filter(None, [str(incident), about, incident.reason, _page_url(incident)]))


def _described(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.pk,
        "kind": incident.kind,
        "flow": incident.flow.flow if incident.flow else None,
        "activation": incident.activation_id,
        "store": str(incident.activation.store),
        "connector": incident.activation.connector.slug,
        "reason": incident.reason,
        "opened_at": incident.opened_at.isoformat(),
        "ended_at": incident.ended_at.isoformat() if incident.ended_at else None,
        "page": _page_url(incident),
    }


# -- Delivering ------------------------------------------------------------------------------------


def deliver_all_alerts() -> None:
    """Every alert whose time has come, one by one, for a while: where each takes long and fails,
    the first is due again before the last was tried. The others go in a minute."""
    ends_at = monotonic() + TURN_SECONDS
    while monotonic() < ends_at and (alert := _take()):
        try:
            if alert.channel == Alert.Channel.EMAIL:
                _send_email(alert)
            else:
                _post(alert)
        except (ConnectorError, SMTPException, OSError, ValueError) as error:
            Alert.objects.filter(pk=alert.pk).update(last_error=_in_short(alert, error))
        else:
            Alert.objects.filter(pk=alert.pk).update(sent_at=timezone.now(), last_error="")


@transaction.atomic
def _take() -> Alert | None:
    """The next one whose time has come. Nobody else takes it before its next attempt."""
    now = timezone.now()
    alert = (
        Alert.objects.select_for_update(skip_locked=True)
        .filter(sent_at=None, due_at__lte=now, created_at__gt=now - GIVE_UP_AFTER)
        .order_by("due_at")
        .first()
    )
    if alert is not None:
        alert.due_at = now + min(FIRST_WAIT * 2 ** min(alert.attempts, 10), LONGEST_WAIT)
        alert.attempts += 1
        alert.save(update_fields=["due_at", "attempts"])
    return alert


def _in_short(alert: Alert, error: Exception) -> str:
    if isinstance(error, ValueError) or isinstance(error.__cause__, ValueError):
        if alert.channel == Alert.Channel.EMAIL:  # no address, or no secret
            return _("Confira EMAIL_URL, FROM_EMAIL e ALERT_EMAILS.")
        return _("Confira ALERT_WEBHOOK_URL e ALERT_WEBHOOK_SECRET.")
    text = str(error) if isinstance(error, ConnectorError) else ""
    return (text or type(error).__name__)[:500]


def _send_email(alert: Alert) -> None:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    EmailMessage(
        f"[Tomada] {alert.subject}",
        alert.body,
        to=settings.ALERT_EMAILS,
        headers={"Message-ID": f"<{alert.message_id}@{domain}>"},
    ).send()


def _post(alert: Alert) -> None:
    """Signed as Standard Webhooks asks, where there is a secret to sign with."""
    body, headers = alert.body.encode(), {"Content-Type": "application/json"}
    if settings.ALERT_WEBHOOK_SECRET:
        known = [settings.ALERT_WEBHOOK_SECRET]
        headers |= signature_headers(known, alert.message_id, timezone.now(), body)
    answer = send("POST", settings.ALERT_WEBHOOK_URL, data=body, headers=headers)
    if not 200 <= answer.status < 300:
        raise Unavailable(f"HTTP {answer.status}")


def alerts_in_trouble() -> int:
    """How many support should have got, and did not."""
    return Alert.objects.filter(sent_at=None, attempts__gt=1).count()
