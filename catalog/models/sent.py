"""What channels were sent of the catalogue."""

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from catalog.models.products import Product
from connectors.contract import Flow
from connectors.models import Activation

CHANGED = Q(changed_at__isnull=False)


class Situation(models.TextChoices):
    SENT = "sent", _("Enviado")
    WAITING = "waiting", _("Mudou: será comparado e enviado")
    REFUSED = "refused", _("Recusado pelo canal")
    NOTHING = "nothing", _("Nada a enviar")


class SentQuerySet(models.QuerySet["Sent"]):
    def to_compare(self) -> "SentQuerySet":
        return self.filter(CHANGED)

    def in_situation(self, situation: str) -> "SentQuerySet":
        """As `Sent.situation` says of each."""
        refused, nothing = ~Q(refused=""), Q(digest="")
        rules = {
            Situation.REFUSED: refused,
            Situation.WAITING: ~refused & CHANGED,
            Situation.SENT: ~refused & ~CHANGED & ~nothing,
            Situation.NOTHING: ~refused & ~CHANGED & nothing,
        }
        return self.filter(rules[Situation(situation)])

    def of_known_products(self) -> "SentQuerySet":
        """Those whose product the channel has, and those whose product is gone."""
        there = Sent.objects.filter(
            activation=OuterRef("activation"),
            flow=Flow.PRODUCTS,
            product=Coalesce(OuterRef("product__parent"), OuterRef("product")),
        )
        return self.filter(Q(product=None) | Exists(there.exclude(digest="")))


class Sent(models.Model):
    """What one channel was sent last of one product, in one flow: a product with its variations; a
    price, or a stock level, for each SKU. Without a digest it was sent nothing yet."""

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="sent",
        db_index=False,
    )
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    # None: deleted here, and perhaps not yet there.
    product = models.ForeignKey(
        Product, models.SET_NULL, verbose_name=_("produto"), null=True, related_name="sent"
    )
    code = models.CharField(_("código no canal"), max_length=100, db_default="")
    external_id = models.CharField(_("id no canal"), max_length=200, db_default="")
    digest = models.CharField(max_length=64, db_default="")
    # Of what the channel refused last: the same is not tried again before its time.
    refused = models.CharField(max_length=64, db_default="")
    # What was in its lists, by their natural keys: what has left since must be taken out there.
    elements = models.JSONField(null=True)
    # What it was asked to have since and gave no answer to, as `elements` and empty for a level:
    # until it answers, nobody knows what it has.
    unanswered = models.JSONField(null=True)
    # When the channel last answered, whatever it said.
    answered_at = models.DateTimeField(_("última resposta do canal"), null=True)
    # Of the latest change that may have made it untrue; None once it was compared after that.
    changed_at = models.DateTimeField(_("mudou em"), null=True)

    objects = SentQuerySet.as_manager()

    class Meta:
        verbose_name = _("envio ao canal")
        verbose_name_plural = _("envios aos canais")
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "flow", "product"], name="sent_once_per_product"
            )
        ]
        indexes = [
            models.Index(
                fields=["activation", "flow", "id"], name="sent_to_compare", condition=CHANGED
            ),
            models.Index(
                fields=["activation", "flow"], name="sent_and_gone", condition=Q(product=None)
            ),
            models.Index(fields=["code"], name="sent_by_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.get_flow_display()}"

    @property
    def situation(self) -> "Situation":
        if self.refused:
            return Situation.REFUSED
        if self.changed_at:
            return Situation.WAITING
        return Situation.SENT if self.digest else Situation.NOTHING
