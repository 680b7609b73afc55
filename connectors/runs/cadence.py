"""How often a client wants his flows to run, where the specification lets him say so. Where the
partner calls us, it is how often we expect him to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import Flow
from connectors.errors import NotAllowed, Refused
from connectors.models import Activation, ActivationFlow
from connectors.spec import Cadence, Mode
from connectors.trouble.freshness import expected, seconds

LEAST, MOST = 1, 24 * 60  # minutes


def settable_flows(activation: Activation) -> dict[str, ActivationFlow]:
    """Those whose interval is the client's to set, by ability."""
    names = _settable(activation)
    return {flow.ability: flow for flow in activation.flows.filter(ability__in=names)}


def minutes_of(flow: ActivationFlow) -> int:
    return max(LEAST, round(flow.every / settings.SECONDS_PER_MINUTE))


@transaction.atomic
def set_intervals(activation_id: int, minutes: Mapping[str, int]) -> None:
    """Each flow's, by its ability. Raises `NotAllowed` where it is not the client's to set, and
    `Refused` for what is no interval."""
    activation = Activation.objects.select_for_update(no_key=True).get(pk=activation_id)
    cadences, flows = _settable(activation), settable_flows(activation)
    for ability, wanted in minutes.items():
        if ability not in cadences:
            raise NotAllowed(
                _("A cadência deste fluxo não é definida pelo cliente em %(connector)s.")
                % {"connector": activation.spec.name}
            )
        if not LEAST <= wanted <= MOST:
            raise Refused(_("O intervalo vai de 1 minuto a um dia."))
        flow = flows[ability]
        if wanted == minutes_of(flow):
            continue
        cadence = replace(cadences[ability], every=timedelta(minutes=wanted))
        every, grace = expected(cadence, Mode(activation.mode), Flow(flow.flow))
        flow.every, flow.due_at = seconds(every), timezone.now()
        flow.grace = None if grace is None else seconds(grace)
        flow.save(update_fields=["every", "grace", "due_at"])


def _settable(activation: Activation) -> dict[str, Cadence]:
    return {
        ability.__name__: cadence
        for ability, cadence in activation.spec.flows.items()
        if cadence.client_may_set
    }
