"""How a store's integrations are, in plain words."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from connectors.models import Activation, ActivationFlow, Freshness, State

# The worst first.
ORDER = (Freshness.STOPPED, Freshness.LATE, Freshness.UNCHANGED, Freshness.WAITING, Freshness.FRESH)
GOOD, WAIT, BAD = "good", "wait", "bad"


@dataclass(frozen=True)
class Health:
    activation: Activation
    tone: str
    words: str


def health_of(stores: Collection[int]) -> list[Health]:
    """In two queries."""
    activations = (
        Activation.objects.filter(store__in=stores).consuming().select_related("store", "connector")
    )
    flows: dict[int, list[Any]] = {}
    wanted = ActivationFlow.objects.filter(activation__store__in=stores)
    for flow in wanted.with_freshness(timezone.now()).order_by("pk"):
        flows.setdefault(flow.activation_id, []).append(flow)
    return [_health(activation, flows.get(activation.pk, [])) for activation in activations]


def _health(activation: Activation, flows: list[Any]) -> Health:
    if activation.state == State.PAUSED:
        return Health(activation, BAD, _("Pausada: nada anda. Fale com o suporte."))
    if activation.state == State.WAITING:
        return Health(activation, WAIT, _("Espera a primeira chamada do sistema."))
    worst = min(
        (Freshness(flow.freshness) for flow in flows if flow.freshness in ORDER),
        key=ORDER.index,
        default=Freshness.FRESH,
    )
    ill = [flow for flow in flows if flow.freshness == worst]
    names = ", ".join(dict.fromkeys(str(flow.get_flow_display()).lower() for flow in ill))
    match worst:
        case Freshness.STOPPED:
            words = _("Parado: %(flows)s. O suporte foi avisado.") % {"flows": names}
            return Health(activation, BAD, words + _since(ill))
        case Freshness.LATE:
            return Health(
                activation, WAIT, _("Atrasado: %(flows)s.") % {"flows": names} + _since(ill)
            )
        case Freshness.UNCHANGED:
            words = _("Funciona, mas há muito tempo nada muda: %(flows)s.") % {"flows": names}
            return Health(activation, WAIT, words)
        case Freshness.WAITING:
            return Health(
                activation, GOOD, _("Ativa; ainda não usou: %(flows)s.") % {"flows": names}
            )
    return Health(activation, GOOD, _("Tudo em dia.") + _since(flows, last=True))


def _since(flows: list[Any], *, last: bool = False) -> str:
    heard = [flow.last_success_at for flow in flows if flow.last_success_at]
    if not heard:
        return ""
    moment = max(heard) if last else min(heard)
    return " " + _("Última vez há %s.") % timesince(moment, depth=1)
