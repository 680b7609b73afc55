"""Merchants asking support to switch a connector on."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connectors.acts import record_act
from connectors.errors import NotAllowed
from connectors.models import Ask, Connector, Store
from connectors.trouble.alerts import tell_text

LONGEST = 1000


@transaction.atomic
def ask_for(store: Store, connector: Connector, text: str, by: User) -> bool:
    """Stored, and told to support. Whether it was not asked for already. Raises `NotAllowed` where
    the connector takes no new integrations."""
    if not connector.enabled or not connector.spec.modes:
        raise NotAllowed(_("%(name)s não aceita novas integrações.") % {"name": connector})
    ask, is_new = Ask.objects.get_or_create(
        store=store,
        connector=connector,
        answered_at=None,
        defaults={"text": text[:LONGEST], "asked_by": by},
    )
    if is_new:
        record_act(by, ask, _("Integração pedida ao suporte."))
        subject = _("%(store)s pede a integração %(connector)s") % {
            "store": store,
            "connector": connector,
        }
        tell_text(subject, "\n".join(filter(None, [subject, ask.text])))
    return is_new


@transaction.atomic
def answer_ask(ask_id: int) -> bool:
    """Somebody saw to it. Whether nobody had."""
    return bool(Ask.objects.filter(pk=ask_id, answered_at=None).update(answered_at=timezone.now()))
