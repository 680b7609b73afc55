"""What a buyer is told by e-mail."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models import Activation, new_message_id


class BuyerMailQuerySet(models.QuerySet["BuyerMail"]):
    def due(self, now: datetime) -> "BuyerMailQuerySet":
        return self.filter(state=BuyerMail.State.WAITING, due_at__lte=now)


class BuyerMail(models.Model):
    """One e-mail to an order's buyer, as it was written when its cause happened. There is one of
    each kind, and none leaves twice."""

    class Kind(models.TextChoices):
        SHIPPED = "shipped", _("Envio")
        DELIVERED = "delivered", _("Entrega")

    class State(models.TextChoices):
        WAITING = "waiting", _("Aguardando envio")
        SENDING = "sending", _("Saindo")
        SENT = "sent", _("Enviado ao comprador")
        FAILED = "failed", _("Não enviado")
        UNKNOWN = "unknown", _("Não se sabe se saiu")

    STOPPED = (State.FAILED, State.UNKNOWN)  # only a person sends these again

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="mails", db_index=False)
    # Whose text it is.
    activation = models.ForeignKey(
        Activation, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(_("tipo"), max_length=9, choices=Kind)
    state = models.CharField(_("estado"), max_length=7, choices=State, default=State.WAITING)
    message_id = models.CharField(max_length=36, unique=True, default=new_message_id)
    address = models.CharField(_("para"), max_length=254, blank=True)
    subject = models.CharField(_("assunto"), max_length=200)
    body = models.TextField(_("texto"))
    created_at = models.DateTimeField(_("criado em"), default=timezone.now)
    due_at = models.DateTimeField(_("próxima tentativa"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tentativas"), default=0)
    sent_at = models.DateTimeField(_("enviado em"), null=True)
    last_error = models.CharField(_("último erro"), max_length=500, blank=True)

    objects = BuyerMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("e-mail ao comprador")
        verbose_name_plural = _("e-mails aos compradores")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "kind"], name="mail_once_per_order_and_kind"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | ~Q(state="sent") & Q(sent_at=None),
                name="mail_sent_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["activation", "-id"], name="mail_list"),
            models.Index(fields=["due_at"], name="mail_due", condition=Q(state="waiting")),
            models.Index(fields=["due_at"], name="mail_going", condition=Q(state="sending")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.order}"

    @property
    def is_stopped(self) -> bool:
        return self.state in self.STOPPED
