"""What platforms tell us at once, and where."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Activation


class Doorbell(models.Model):
    """The address at which one activation's platform rings. Who knows its secret may ring: the
    platforms sign nothing. Sealed, because the operator copies it into the platform's panel."""

    activation = models.OneToOneField(Activation, models.CASCADE, primary_key=True)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    sealed = models.TextField(editable=False)
    last_rung_at = models.DateTimeField(_("último aviso"), null=True)

    class Meta:
        verbose_name = _("endereço de avisos")
        verbose_name_plural = _("endereços de avisos")

    def __str__(self) -> str:
        return str(self.activation)


class RingQuerySet(models.QuerySet["Ring"]):
    def open(self) -> "RingQuerySet":
        return self.filter(handled_at=None)


class Ring(models.Model):
    """Something that a platform says has changed, until it is fetched."""

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="rings"
    )
    ability = models.CharField(_("capacidade"), max_length=32)
    record_id = models.CharField(_("registro"), max_length=200)
    # Of the latest of the same: that is newer than any fetch which began before.
    rung_at = models.DateTimeField(_("avisado em"), default=timezone.now)
    times = models.PositiveIntegerField(_("vezes"), default=1)
    handled_at = models.DateTimeField(_("buscado em"), null=True)

    objects = RingQuerySet.as_manager()

    class Meta:
        verbose_name = _("aviso recebido")
        verbose_name_plural = _("avisos recebidos")
        ordering = ["-pk"]
        constraints = [
            # Told again before it is fetched is told once.
            models.UniqueConstraint(
                fields=["activation", "ability", "record_id"],
                condition=Q(handled_at=None),
                name="one_open_ring_per_record",
            )
        ]
        indexes = [
            models.Index(
                fields=["activation", "ability", "id"],
                name="ring_open",
                condition=Q(handled_at=None),
            ),
            models.Index(fields=["handled_at"], name="ring_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.ability} {self.record_id}"
