"""What stops if a credential, or a whole integration, is revoked now."""

from datetime import timedelta
from operator import itemgetter
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.hub.tokens import ACCESS_LIFE
from connectors.models import AccessToken, Activation, Credential, Run
from connectors.moments import when
from connectors.spec import Mode
from orders.models import Order
from orders.status import OPEN

DAY = timedelta(days=1)
Facts = list[tuple[Any, Any]]


def what_stops(activation: Activation, credentials: list[Credential]) -> Facts:
    """A constant number of queries, whatever there is."""
    acting = activation.current
    flows = [str(flow.get_flow_display()) for flow in acting.flows.all()]
    others = set(acting.credentials.issued_in_use()) | set(activation.credentials.issued_in_use())
    left = len(others - set(credentials))
    orders = Order.objects.filter(status__in=OPEN, links__activation=acting)
    facts: Facts = [
        (_("Fluxos desta integração"), ", ".join(dict.fromkeys(flows)) or _("nenhum")),
        (_("Último uso"), _last_use(credentials)),
        (_("Atividade nas últimas 24 horas"), _activity(activation, credentials)),
        (_("Pedidos em aberto nela"), orders.count()),
    ]
    if activation.mode == Mode.PARTNER:
        facts.append((_("Outras credenciais que continuam valendo"), left))
    return facts


def _last_use(credentials: list[Credential]) -> str:
    used = [(at, each.last_used_from) for each in credentials if (at := each.last_used_at)]
    if not used:
        return _("nunca")
    moment, address = max(used, key=itemgetter(0))
    return _("%(moment)s, de %(address)s") % {"moment": when(moment), "address": address}


def _activity(activation: Activation, credentials: list[Credential]) -> str:
    since = timezone.now() - DAY
    if activation.mode == Mode.MANAGED:
        runs = Run.objects.filter(activation=activation, started_at__gte=since).count()
        return _("%(n)d execuções") % {"n": runs}
    tokens = AccessToken.objects.filter(
        credential__in=credentials, access_expires_at__gte=since + ACCESS_LIFE
    )
    called = activation.current.flows.filter(last_call_at__gte=since)
    return _("%(tokens)d tokens pedidos; %(flows)d fluxos chamados") % {
        "tokens": tokens.count(),
        "flows": called.count(),
    }
