"""E-mails to buyers: the order was sent, the order arrived.

Each is a row, written in the transaction of the status that causes it, and leaves by itself. It is
noted before it leaves that it does; where nobody can say whether it left, it is not sent again by
itself: nothing is mailed twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from time import monotonic

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.html import escape, urlize
from django.utils.translation import gettext as _
from django.utils.translation import override

from connectors.acts import record_act
from connectors.errors import NotAllowed
from connectors.models import Activation
from connectors.placeholders import fill
from connectors.queue import enqueue
from connectors.records import OrderStatus
from orders.buyers import buyer_url, first_name
from orders.models import BuyerMail, Order
from orders.status import ENDED

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
TURN_SECONDS = 60
SENDS_FOR = timedelta(minutes=10)  # who takes longer died at it
PERMANENT = 500


@dataclass(frozen=True)
class Occasion:
    kind: BuyerMail.Kind
    switch: str  # an activation's setting
    text: str  # and the one with the text


OCCASIONS = {
    OrderStatus.SHIPPED: Occasion(BuyerMail.Kind.SHIPPED, "email_shipped", "email_shipped_text"),
    OrderStatus.DELIVERED: Occasion(
        BuyerMail.Kind.DELIVERED, "email_delivered", "email_delivered_text"
    ),
}


def subject_of(kind: str, order: str, store: str) -> str:
    text = (
        _("Seu pedido %(order)s foi enviado · %(store)s")
        if kind == BuyerMail.Kind.SHIPPED
        else _("Seu pedido %(order)s foi entregue · %(store)s")
    )
    return " ".join((text % {"order": order, "store": store}).split())[:200]


# -- Writing -------------------------------------------------------------------------------------


def write_mail(order: Order) -> None:
    """The mail for the status that the order came to just now, if a shop wants its buyers told."""
    occasion = OCCASIONS.get(OrderStatus(order.status))
    if occasion is None:
        return
    activation = next(_wanting(order, occasion), None)
    if activation is None:
        return
    with override(settings.LANGUAGE_CODE):  # the store's, whoever made the change
        mail = _mail(order, activation, occasion)
    # The second of its kind is none.
    BuyerMail.objects.bulk_create([mail], ignore_conflicts=True)
    if mail.address:
        enqueue(send_all_mails)


def _mail(order: Order, activation: Activation, occasion: Occasion) -> BuyerMail:
    mail = BuyerMail(
        order=order,
        activation=activation,
        kind=occasion.kind,
        address=_address(order),
        subject=subject_of(occasion.kind, str(order), order.store.name),
        body=fill(_text(activation, occasion), values_of(order)),
    )
    if not mail.address:
        mail.state, mail.last_error = (
            BuyerMail.State.FAILED,
            _("O canal não informou um e-mail válido do comprador."),
        )
    return mail


def _wanting(order: Order, occasion: Occasion) -> Iterator[Activation]:
    """Of the integrations that have the order those whose switch is on; whoever brought it
    first."""
    linked = Activation.objects.filter(order_links__order=order).select_related("connector")
    for activation in sorted(linked, key=lambda each: (each.pk != order.source_id, each.pk)):
        if activation.settings.get(occasion.switch) is True:
            yield activation


def _text(activation: Activation, occasion: Occasion) -> str:
    """The shop's own, else the connector's."""
    known = {setting.key: setting.default for setting in activation.spec.settings}
    return str(activation.settings.get(occasion.text) or known.get(occasion.text, ""))


def _address(order: Order) -> str:
    for name in ("payer_email", "receiver_email"):
        address = str(order.fields.get(name) or "").strip()
        try:
            validate_email(address)
        except ValidationError:
            continue
        return address if len(address) <= 254 else ""
    return ""


def values_of(order: Order) -> dict[str, str]:
    codes = [s.track_code for s in order.shipments.all() if s.track_code]
    return {
        "cliente": first_name(order) or _("cliente"),
        "pedido": str(order),
        "loja": order.store.name,
        "rastreio": ", ".join(codes) or _("a informar"),
        "link": buyer_url(order),
    }


# -- Sending -------------------------------------------------------------------------------------


def send_all_mails() -> None:
    """Every mail whose time has come, one by one, for a while: who is killed for overtime leaves
    one of which nobody can say whether it left. The others go in a minute."""
    _follow_clock_back()
    _give_up_on_the_lost()
    ends_at = monotonic() + TURN_SECONDS
    while mail := _take():
        _send(mail)
        if monotonic() >= ends_at:
            return


@transaction.atomic
def send_again(mail_id: int, by: User) -> None:
    """A person looked and wants it to leave. Raises `NotAllowed` for one that went, or goes."""
    stopped = BuyerMail.objects.filter(pk=mail_id, state__in=BuyerMail.STOPPED)
    stopped = stopped.exclude(address="")
    mail = stopped.select_for_update(of=("self",)).select_related("order__store").first()
    if mail is None:
        raise NotAllowed(_("Este e-mail já saiu, ou está para sair."))
    mail.state, mail.last_error = BuyerMail.State.WAITING, ""
    mail.due_at = mail.created_at = timezone.now()
    mail.save(update_fields=["state", "last_error", "due_at", "created_at"])
    record_act(by, mail, _("Envio de novo pedido."))
    enqueue(send_all_mails)


def _follow_clock_back() -> None:
    """No mail waits, or is being sent, until then: the clock was put back."""
    now = timezone.now()
    for state in (BuyerMail.State.WAITING, BuyerMail.State.SENDING):
        late = BuyerMail.objects.filter(state=state, due_at__gt=now + LONGEST_WAIT)
        late.update(due_at=now)


def _give_up_on_the_lost() -> None:
    BuyerMail.objects.filter(
        state=BuyerMail.State.SENDING, due_at__lte=timezone.now() - SENDS_FOR
    ).update(state=BuyerMail.State.UNKNOWN, last_error=_("O envio foi interrompido."))


@transaction.atomic
def _take() -> BuyerMail | None:
    now = timezone.now()
    mail = (
        BuyerMail.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("order")
        .due(now)
        .order_by("due_at")
        .first()
    )
    if mail is not None:
        mail.state, mail.due_at, mail.attempts = BuyerMail.State.SENDING, now, mail.attempts + 1
        mail.save(update_fields=["state", "due_at", "attempts"])
    return mail


def _send(mail: BuyerMail) -> None:
    if OrderStatus(mail.order.status) in ENDED:
        _end(mail, BuyerMail.State.FAILED, _("O pedido foi cancelado antes."))
        return
    connection = get_connection()
    try:
        connection.open()
    except (SMTPException, OSError, ValueError) as error:
        _later(mail, error)  # nobody was there to be told anything
        return
    try:
        _message(mail, connection).send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _words in error.recipients.values()]
        _refused(mail, error, max(codes, default=0))
    except SMTPResponseException as error:
        _refused(mail, error, error.smtp_code)
    except ValueError as error:
        _later(mail, error)  # raised before the first word
    except (SMTPException, OSError) as error:
        _end(mail, BuyerMail.State.UNKNOWN, type(error).__name__)
    else:
        BuyerMail.objects.filter(pk=mail.pk).update(
            state=BuyerMail.State.SENT, sent_at=timezone.now(), last_error=""
        )
    finally:
        connection.close()


def _message(mail: BuyerMail, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    message = EmailMultiAlternatives(
        mail.subject,
        mail.body,
        to=[mail.address],
        headers={"Message-ID": f"<{mail.message_id}@{domain}>"},
        connection=connection,
    )
    message.attach_alternative(as_html(mail.body), "text/html")
    return message


def as_html(text: str) -> str:
    """The same for programs that show it: lines and links, nothing else."""
    body = urlize(escape(text), nofollow=True, autoescape=False).replace("\n", "<br>\n")
    return f'<!doctype html>\n<html><meta charset="utf-8"><body><p>{body}</p></body></html>\n'


def _refused(mail: BuyerMail, error: Exception, code: int) -> None:
    if code >= PERMANENT:
        _end(mail, BuyerMail.State.FAILED, _("O servidor de e-mail recusou: %d") % code)
    else:
        _later(mail, error)


def _later(mail: BuyerMail, error: Exception) -> None:
    now = timezone.now()
    if mail.created_at < now - GIVE_UP_AFTER:
        _end(mail, BuyerMail.State.FAILED, _in_short(error))
        return
    wait = min(FIRST_WAIT * 2 ** min(mail.attempts - 1, 10), LONGEST_WAIT)
    # Of a buyer who was forgotten meanwhile, there is no address any more.
    BuyerMail.objects.filter(pk=mail.pk).exclude(address="").update(
        state=BuyerMail.State.WAITING, due_at=now + wait, last_error=_in_short(error)
    )


def _in_short(error: Exception) -> str:
    # What was typed into the settings is no address. A certificate's error is both.
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return _("O portal não consegue enviar: o suporte precisa conferir EMAIL_URL e FROM_EMAIL.")
    return type(error).__name__


def _end(mail: BuyerMail, state: BuyerMail.State, why: str) -> None:
    BuyerMail.objects.filter(pk=mail.pk).update(state=state, last_error=why[:500])
