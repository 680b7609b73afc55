"""Flows that wait for a person's word: a brake that asks, or a first preview to be approved."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.contract import CATALOGUE_SOURCE_NAMES
from connectors.errors import NotAllowed, Refused
from connectors.models import Activation, ActivationFlow, Brake, Comparison, State
from connectors.runs.dispatch import make_due
from connectors.spec import Mode


def is_held(flow_id: int) -> bool:
    """Whether a catalogue flow may not run now."""
    mine = {"activation": OuterRef("activation")}
    brake = Brake.objects.open().filter(ability=OuterRef("ability"), **mine)
    preview = Comparison.objects.holding().filter(**mine)
    flow = ActivationFlow.objects.filter(pk=flow_id)
    return flow.filter(Exists(brake) | Exists(preview)).exists()


@transaction.atomic
def answer_brake(brake_id: int, answer: Brake.Answer, by: User) -> bool:
    """Let through what was asked for, or have it read and judged again. Whether this was the
    answer: the first one counts."""
    brake = Brake.objects.open().select_for_update(of=("self",)).filter(pk=brake_id).first()
    if brake is None:
        return False
    brake.answer, brake.answered_at, brake.answered_by = answer, timezone.now(), by
    brake.save(update_fields=["answer", "answered_at", "answered_by"])
    _go_on(ActivationFlow.objects.filter(activation=brake.activation_id, ability=brake.ability))
    return True


@transaction.atomic
def ask_preview(activation: Activation, by: User, *, holds: bool = False) -> Comparison:
    """Read everything that the other side has, and show what a synchronisation would do; with
    `holds`, no synchronisation does it until somebody approves. One at a time: asked again while it
    goes on, it is that one. Raises `NotAllowed` where no catalogue comes in this way."""
    Activation.objects.select_for_update(no_key=True).get(pk=activation.pk)
    if (
        activation.mode != Mode.MANAGED
        or activation.state == State.REVOKED
        or not activation.spec.feeds_catalogue
    ):
        raise NotAllowed(_("Esta integração não traz catálogo que o portal busque."))
    purpose = Comparison.Purpose.PREVIEW
    going_on = activation.comparisons.filter(purpose=purpose, ended_at=None).first()
    if going_on is not None:
        return going_on
    return activation.comparisons.create(purpose=purpose, asked_by=by, holds=holds)


@transaction.atomic
def approve_preview(comparison_id: int, by: User) -> bool:
    """The integration's catalogue flows may run. Whether something waited for that.

    Raises `Refused` while the preview is still reading: there is nothing yet to approve.
    """
    comparison = Comparison.objects.select_for_update().get(pk=comparison_id)
    if comparison.ended_at is None:
        raise Refused(_("A prévia ainda está sendo feita."))
    approved = (
        Comparison.objects.holding()
        .filter(activation=comparison.activation_id)
        .update(approved_at=timezone.now(), approved_by=by)
    )
    if approved:
        flows = ActivationFlow.objects.filter(activation=comparison.activation_id)
        _go_on(flows.filter(ability__in=CATALOGUE_SOURCE_NAMES))
    return bool(approved)


def _go_on(flows: QuerySet[ActivationFlow]) -> None:
    # What was queued meanwhile has ended without running.
    flows.update(slot_at=None, failures_in_a_row=0)
    make_due(flows)
