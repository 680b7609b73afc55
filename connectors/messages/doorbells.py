"""The address at which an activation's platform can ring."""

import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from connectors.contract import NoticeSource
from connectors.errors import NotAllowed
from connectors.hashing import digest
from connectors.models import Activation, Doorbell, State
from connectors.sealing import seal, unseal_known
from connectors.spec import Mode


def has_doorbell(activation: Activation) -> bool:
    client = activation.spec.client
    listens = client is not None and issubclass(client, NoticeSource)
    return listens and activation.mode == Mode.MANAGED and activation.state != State.REVOKED


def install_doorbell(activation: Activation) -> None:
    """Give the activation its address, where its platform can ring."""
    if has_doorbell(activation):
        Doorbell.objects.get_or_create(activation=activation, defaults=_new_secret())


def install_all_doorbells() -> None:
    """For whatever was switched on before its connector learned to listen."""
    managed = Activation.objects.filter(mode=Mode.MANAGED, doorbell=None)
    for activation in managed.select_related("connector"):
        install_doorbell(activation)


@transaction.atomic
def replace_doorbell(activation_id: int) -> None:
    """A new address; whoever rings at the old one finds nobody. Raises `NotAllowed`."""
    activation = Activation.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=activation_id
    )
    if not has_doorbell(activation):
        raise NotAllowed(_("Esta integração não recebe avisos da plataforma."))
    Doorbell.objects.update_or_create(activation=activation, defaults=_new_secret())


def doorbell_secret(activation: Activation) -> str:
    """The last part of the address, for the operator's eyes; empty where there is none."""
    doorbell = Doorbell.objects.filter(activation=activation).first()
    if doorbell is None or not has_doorbell(activation):
        return ""
    return unseal_known(doorbell.sealed).get("secret", "")


def _new_secret() -> dict[str, str]:
    secret = secrets.token_urlsafe(32)
    return {"secret_hash": digest(secret), "sealed": seal({"secret": secret})}
