"""The connection test: what works and what does not, in plain words, and how it is mended.

Managed: the portal enters the platform and reads one page of each subject, as the first
synchronisation would; nothing is written on either side. Partner: what the partner has done so far.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from operator import methodcaller
from time import monotonic
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import (
    Ability,
    Client,
    Flow,
    FulfilmentSource,
    OrderSource,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.errors import (
    ConnectorError,
    OutOfBudget,
    Refused,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from connectors.models import Activation, Breaker, Credential, Failure, Trial, Verdict
from connectors.moments import when
from connectors.queue import enqueue
from connectors.services import client_of
from connectors.spec import Mode

log = logging.getLogger(__name__)

# No further call is begun after this; one that has begun ends by itself (connectors/http.py).
SECONDS = 45
PAGES = 3  # the first ones may be empty, where a platform is looked through piece by piece
LOST_AFTER = timedelta(minutes=5)  # its worker is dead by then
# How each ability reads: what only compares, wherever there is such, because some platforms forget
# what changed once it was read.
READS = {
    ProductSource: ("all_products", "read_product"),
    PriceSource: ("all_prices", "read_price"),
    StockSource: ("all_stock", "read_stock"),
    OrderSource: ("changed_orders", "read_order"),
    FulfilmentSource: ("changed_fulfilments", "read_fulfilment"),
}

Line = tuple[str, str, str]


@transaction.atomic
def ask_trial(activation_id: int, by: User) -> Trial:
    """One at a time: asked again while it goes on, it is that one."""
    activation = (
        Activation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("connector")
        .get(pk=activation_id)
    )
    going_on = activation.trials.filter(ended_at=None).first()
    if going_on is not None:
        if abs(timezone.now() - going_on.asked_at) < LOST_AFTER:  # the clock may be put back
            return going_on
        _end(going_on, [(_("Teste"), Verdict.FAIL, _("Foi interrompido. Teste outra vez."))])
    trial = Trial.objects.create(activation=activation, asked_by=by)
    if activation.mode == Mode.PARTNER:
        _end(trial, list(_partner(activation)))  # nobody is called: it is known at once
    else:
        enqueue(run_trial, trial.pk)
    return trial


def run_trial(trial_id: int) -> None:
    """The queue runs it: it takes its time."""
    trial = Trial.objects.select_related("activation__connector", "activation__store").get(
        pk=trial_id
    )
    if trial.ended_at is None:
        _end(trial, list(_managed(trial.activation)))


def _end(trial: Trial, lines: list[Line]) -> None:
    trial.results = [[name, str(verdict), text] for name, verdict, text in lines]
    trial.ended_at = timezone.now()
    trial.save(update_fields=["results", "ended_at"])


# -- We call the platform ----------------------------------------------------------------------
def _managed(activation: Activation) -> Iterator[Line]:
    ends_at = monotonic() + SECONDS
    access = _("Acesso")
    try:
        client = client_of(activation)
        client.check()
    except (ConnectorError, Refused, Credential.DoesNotExist) as error:
        yield access, Verdict.FAIL, _why(error)
        let_in = False
    else:
        yield access, Verdict.OK, _("O endereço responde e aceitou as credenciais.")
        let_in = True
    for ability in activation.spec.flows:
        name = subject(ability)
        if ability not in READS:
            yield name, Verdict.LATER, _("Será testado no primeiro envio.")
        elif not let_in:
            yield name, Verdict.WARN, _("Não foi testado: o acesso vem antes.")
        elif monotonic() > ends_at:
            yield name, Verdict.WARN, _("Não deu tempo: o sistema está lento. Teste outra vez.")
        else:
            yield name, *_read(activation, client, ability)


def subject(ability: type[Ability]) -> str:
    label = ability.flow.label
    return (_("Receber: %s") if ability in READS else _("Enviar: %s")) % str(label).lower()


def _read(activation: Activation, client: Client, ability: type[Ability]) -> tuple[str, str]:
    """A page, and its first record as the synchronisation would understand it."""
    pages, record = READS[ability]
    try:
        some = islice(methodcaller(pages, "")(client), PAGES)
        page = next((page for page in some if page.items), None)
        if page is None:
            return Verdict.OK, _("Respondeu; nas primeiras páginas não veio registro.")
        methodcaller(record, page.items[0])(client)
    except (ConnectorError, Refused) as error:
        verdict = Verdict.WARN if isinstance(error, OutOfBudget) else Verdict.FAIL
        return verdict, _why(error)
    except Exception:
        log.exception("trial of %s", ability.__name__, extra=activation.in_the_log)
        return Verdict.FAIL, _("O portal não entendeu a resposta. Avise quem cuida do portal.")
    return Verdict.OK, _("Registros lidos: %(count)d; o primeiro foi entendido.") % {
        "count": len(page.items)
    }


def _why(error: Exception) -> str:
    """What went wrong, and what mends it."""
    match error:
        case OutOfBudget():
            return _("A cota de chamadas desta conta acabou. Espere um minuto e teste outra vez.")
        case Unauthorized():
            text = _("As credenciais foram recusadas. Volte ao passo delas e copie-as outra vez.")
        case Unavailable():
            text = _("O sistema não respondeu. Confira o endereço; se estiver certo, espere.")
        case Unreadable():
            text = _("Respondeu num formato desconhecido. Confira se o endereço é o da API.")
        case Credential.DoesNotExist():
            return _("Faltam as credenciais: volte ao passo delas.")
        case _:
            text = _("O sistema recusou a chamada. Confira o endereço e as permissões da conta.")
    return f"{text} ({error})"


# -- The partner calls us ----------------------------------------------------------------------
def _partner(activation: Activation) -> Iterator[Line]:
    yield _entered(activation)
    flows: dict[str, list[Any]] = {}
    for row in activation.flows.order_by("pk"):
        flows.setdefault(row.flow, []).append(row)
    for flow, rows in flows.items():
        called = max((r.last_call_at for r in rows if r.last_call_at), default=None)
        good = max((r.last_success_at for r in rows if r.last_success_at), default=None)
        yield (str(Flow(flow).label), *_called(called, good))
    failures = Failure.objects.open().filter(activation=activation).count()
    if failures:
        text = _("%(count)d registros não puderam ser aceitos: veja cada um em Falhas.")
        yield _("Recusas"), Verdict.WARN, text % {"count": failures}
    if activation.plugin_url:
        yield _("Notificações"), *_notices(activation)


def _entered(activation: Activation) -> Line:
    known = activation.credentials.exclude(last_used_at=None)
    used: Any = known.order_by("-last_used_at").first()
    name = _("Acesso")
    if used is None:
        text = _("O parceiro ainda não entrou. Confira se ele recebeu as credenciais.")
        return name, Verdict.WARN, text
    text = _("O parceiro entrou em %(when)s, de %(address)s.") % {
        "when": when(used.last_used_at),
        "address": used.last_used_from or _("endereço desconhecido"),
    }
    return name, Verdict.OK, text


def _called(called: Any, good: Any) -> tuple[str, str]:
    if good is not None and good >= called - timedelta(minutes=2):
        return Verdict.OK, _("Última chamada aceita em %(when)s.") % {"when": when(good)}
    if called is not None:
        text = _("Chamou em %(when)s e foi recusado: peça ao parceiro a resposta que recebeu.")
        return Verdict.FAIL, text % {"when": when(called)}
    return Verdict.WARN, _("O parceiro ainda não chamou.")


def _notices(activation: Activation) -> tuple[str, str]:
    endpoint = getattr(activation, "endpoint", None)
    if endpoint is None or endpoint.breaker == Breaker.CLOSED:
        return Verdict.OK, _("Vão para a URL do pluggin assim que houver um pedido.")
    text = _("A URL do pluggin não as aceita: %(state)s. Confira o endereço com o parceiro.")
    return Verdict.FAIL, text % {"state": str(endpoint.breaker.label).lower()}
