"""Why something has not synchronised: the chain of decisions about one record, in plain words.

Here is what holds for any record of an integration's flow; what is particular to a SKU or to an
order is catalog's and orders'. Everything is read for a whole store at once.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from connectors.contract import CATALOGUE_SOURCE_NAMES, SINK_NAMES, Flow
from connectors.models import (
    Activation,
    ActivationFlow,
    Brake,
    Comparison,
    Failure,
    Freshness,
    Ring,
    Run,
    State,
    Store,
)
from connectors.models.activations import GOING_ON
from connectors.moments import when
from connectors.spec import Mode
from connectors.trouble.causes import Actor

GOOD, WAIT, STOP, NOTE = "good", "wait", "stop", "note"
FAILURES_SHOWN = 20


@dataclass(frozen=True)
class Decision:
    """One decision, and what came of it. `url` is the page on which it is changed."""

    verdict: str
    text: str
    actor: str | Promise = ""
    url: str = ""
    button: str = ""


@dataclass
class Chain:
    """All decisions about one flow of one integration, in the order in which they are taken."""

    activation: Activation
    title: str
    decisions: list[Decision] = field(default_factory=list)

    @property
    def decisive(self) -> Decision | None:
        """What stopped it; else what it waits for; else that it went well."""
        for verdict in (STOP, WAIT, GOOD):
            if found := [decision for decision in self.decisions if decision.verdict == verdict]:
                return found[-1] if verdict == GOOD else found[0]
        return None

    @property
    def verdict(self) -> str:
        return self.decisive.verdict if self.decisive else NOTE


@dataclass
class Scene:
    """One store's integrations as they stand, and what failed of these records."""

    store: Store
    activations: list[Activation]
    flows: dict[int, list[Any]]
    failures: dict[tuple[int, str], list[Failure]]
    brakes: dict[tuple[int, str], Brake]
    previews: dict[int, Comparison]
    rings: set[tuple[int, str]]

    def failures_of(self, activation: Activation, flow: str) -> list[Failure]:
        return self.failures.get((activation.pk, flow), [])


def look_at(store: Store, record_ids: Collection[str]) -> Scene:
    """In a constant number of queries."""
    activations = list(
        store.activations.select_related("connector", "store", "endpoint", "moved_to").order_by(
            "pk"
        )
    )
    runs = Run.objects.filter(
        activation=OuterRef("activation"), ability=OuterRef("ability")
    ).order_by("-pk")
    mine = ActivationFlow.objects.with_freshness(timezone.now()).filter(activation__store=store)
    rows = mine.annotate(
        last_outcome=Subquery(runs.values("outcome")[:1]),
        last_reason=Subquery(runs.values("reason")[:1]),
    )
    failed = Failure.objects.filter(activation__store=store, record_id__in=record_ids)
    failed = failed.without_content().order_by("-pk")
    brakes = Brake.objects.open().filter(activation__store=store)
    previews = Comparison.objects.holding().filter(activation__store=store)
    rings = Ring.objects.open().filter(activation__store=store, record_id__in=record_ids)
    scene = Scene(
        store,
        activations,
        flows={},
        failures={},
        brakes={(each.activation_id, each.ability): each for each in brakes},
        previews={each.activation_id: each for each in previews},
        rings=set(rings.values_list("activation_id", "ability")),
    )
    for row in rows.order_by("pk"):
        scene.flows.setdefault(row.activation_id, []).append(row)
    for failure in failed[:FAILURES_SHOWN]:
        of = (failure.activation_id, failure.flow)
        scene.failures.setdefault(of, []).append(failure)
    return scene


def page(name: str, pk: Any) -> str:
    return reverse(f"admin:{name}_change", args=[pk])


# -- What any record of an integration meets -------------------------------------------------------


def chain_of(scene: Scene, activation: Activation, title: str, *rows: Any) -> Chain:
    """Its beginning: what goes before all that is particular to a record of these flows."""
    state = _state_decision(activation)
    chain = Chain(activation, title, [state])
    if state.verdict == GOOD:
        for row in rows:
            chain.decisions += _flow_decisions(scene, activation, row)
    return chain


def _state_decision(activation: Activation) -> Decision:
    """Whether the integration does anything at all."""
    url, open_it = page("connectors_activation", activation.pk), _("Abrir a integração")
    state = State(activation.state)
    if state in GOING_ON and not (state == State.WAITING and activation.mode == Mode.MANAGED):
        text = _("A integração está no ar: %s.") % str(state.label).lower()
        return Decision(GOOD, text, url=url)
    if state == State.PAUSED:
        text = _("a integração está pausada. %s") % activation.paused_reason
        return Decision(STOP, text.strip(), Actor.HUB.label, url, _("Retomar a integração"))
    if state == State.MOVED:
        text = _("a integração foi migrada para %s, que responde por ela.") % activation.moved_to
        return Decision(NOTE, text, url=url)
    texts = {
        State.DRAFT: _("a ativação da integração não foi concluída."),
        State.WAITING: _("a plataforma ainda não respondeu à primeira chamada."),
        State.REVOKED: _("a integração foi revogada."),
    }
    return Decision(STOP, texts[state], Actor.HUB.label, url, open_it)


def _flow_decisions(scene: Scene, activation: Activation, row: Any) -> list[Decision]:
    """What may keep this flow from moving anything: a question, a refusal, a pause."""
    decisions = []
    of = (activation.pk, row.ability)
    if row.ability in CATALOGUE_SOURCE_NAMES and activation.pk in scene.previews:
        preview = scene.previews[activation.pk]
        text = _("a prévia da primeira sincronização espera aprovação.")
        url = page("connectors_comparison", preview.pk)
        decisions.append(Decision(STOP, text, Actor.HUB.label, url, _("Ver a prévia")))
    if brake := scene.brakes.get(of):
        text = _("o fluxo parou e perguntou: %s.") % str(brake.get_danger_display()).lower()
        url = page("connectors_brake", brake.pk)
        decisions.append(Decision(STOP, text, Actor.HUB.label, url, _("Responder ao freio")))
    if activation.mode == Mode.MANAGED:
        decisions.append(_last_run(row))
    else:
        decisions.append(_last_call(row))
    decisions += [_failure_decision(each) for each in scene.failures_of(activation, row.flow)]
    if of in scene.rings:
        text = _("a plataforma avisou que mudou, e a busca está na fila.")
        decisions.append(Decision(WAIT, text, Actor.NOBODY.label))
    return decisions


def _last_run(row: Any) -> Decision:
    url = (
        reverse("admin:connectors_run_changelist")
        + f"?activation__id__exact={row.activation_id}&ability={row.ability}"
    )
    button = _("Ver as execuções")
    next_turn = when(row.due_at)
    if row.last_run_at is None:
        text = _("o fluxo ainda não rodou; a primeira vez é em %s.") % next_turn
        return Decision(WAIT, text, Actor.NOBODY.label, url, button)
    facts = {"at": when(row.last_run_at), "next": next_turn, "reason": row.last_reason or ""}
    if row.last_outcome == Run.Outcome.WAITING:
        text = _("a cota de chamadas da conta acabou em %(at)s; continua em %(next)s.")
        return Decision(WAIT, text % facts, Actor.NOBODY.label, url, button)
    if row.last_outcome == Run.Outcome.FAILED:
        facts["times"] = row.failures_in_a_row
        text = _("a execução de %(at)s falhou (%(times)d seguidas): %(reason)s. Próxima: %(next)s.")
        return Decision(STOP, text % facts, Actor.PLATFORM.label, url, button)
    if row.freshness in (Freshness.LATE, Freshness.STOPPED):
        facts["state"] = str(Freshness(row.freshness).label).lower()
        text = _("o fluxo está %(state)s: rodou pela última vez em %(at)s. Próxima: %(next)s.")
        return Decision(WAIT, text % facts, Actor.HUB.label, url, button)
    text = _("Última execução: %(at)s. Próxima: %(next)s.")
    return Decision(NOTE, text % facts, url=url)


def _last_call(row: Any) -> Decision:
    if row.last_call_at is None:
        text = _("o parceiro ainda não chamou a nossa API para este fluxo.")
        url = page("connectors_activation", row.activation_id)
        return Decision(WAIT, text, Actor.PLATFORM.label, url, _("Abrir a integração"))
    facts = {"at": when(row.last_call_at), "state": str(Freshness(row.freshness).label).lower()}
    text = _("Última chamada do parceiro: %(at)s (%(state)s).") % facts
    late = row.freshness in (Freshness.LATE, Freshness.STOPPED)
    return Decision(WAIT if late else NOTE, text, Actor.PLATFORM.label if late else "")


def _failure_decision(failure: Failure) -> Decision:
    url, cause = page("connectors_failure", failure.pk), failure.known_cause
    if failure.resolved_at is not None:
        facts = {"at": when(failure.resolved_at), "how": failure.resolution}
        return Decision(NOTE, _("Uma falha foi encerrada em %(at)s. %(how)s") % facts, url=url)
    facts = {
        "cause": str(cause.title),
        "reason": failure.reason,
        "times": str(failure.times),
        "next": when(failure.retry_at) if failure.retry_at else _("só se a plataforma reenviar"),
    }
    facts["cause"] = facts["cause"][:1].lower() + facts["cause"][1:]
    text = _("%(cause)s: %(reason)s (falhou %(times)s vez(es); próxima tentativa: %(next)s).")
    return Decision(STOP, text % facts, cause.actor.label, url, _("Resolver a falha"))


def title_of(row: Any) -> str:
    direction = _("envio") if row.ability in SINK_NAMES else _("recebimento")
    return f"{Flow(row.flow).label} · {direction}"


def rows_of(scene: Scene, activation: Activation, flows: Iterable[str]) -> list[Any]:
    wanted = set(flows)
    return [row for row in scene.flows.get(activation.pk, []) if row.flow in wanted]


def not_expected(activation: Activation, flows: Iterable[Flow]) -> Chain:
    """The specification has none of these flows."""
    names = ", ".join(str(flow.label).lower() for flow in flows)
    text = _("A ficha do conector não prevê %s: nada disso passa por esta integração.") % names
    return Chain(activation, names.capitalize(), [Decision(NOTE, text)])
