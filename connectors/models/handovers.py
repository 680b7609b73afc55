"""Links by which a partner fetches its credentials, once."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import Activation
from connectors.models.credentials import Credential

USER = settings.AUTH_USER_MODEL


class HandoverQuerySet(models.QuerySet["Handover"]):
    def waiting(self) -> "HandoverQuerySet":
        return self.filter(opened_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


class Handover(models.Model):
    """Of the link only the hash is kept, and of the credentials nothing: they are issued when it
    is opened."""

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="handovers"
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("criada por"), related_name="+"
    )
    created_at = models.DateTimeField(_("criada em"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("vale até"))
    opened_at = models.DateTimeField(_("aberta em"), null=True, editable=False)
    opened_from = models.GenericIPAddressField(_("aberta de"), null=True, editable=False)
    opened_with = models.CharField(_("navegador"), max_length=200, blank=True, editable=False)
    credential = models.OneToOneField(
        Credential, models.PROTECT, verbose_name=_("credencial"), null=True, related_name="handover"
    )
    withdrawn_at = models.DateTimeField(_("retirada em"), null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("retirada por"), null=True, related_name="+"
    )

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = _("entrega de credenciais")
        verbose_name_plural = _("entregas de credenciais")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opened_at=None, credential=None)
                | Q(opened_at__isnull=False, credential__isnull=False, withdrawn_at=None),
                name="handover_issues_when_opened",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.activation} · {timezone.localtime(self.created_at):%d/%m/%Y %H:%M}"

    @property
    def situation(self) -> str:
        if self.opened_at:
            return "opened"
        if self.withdrawn_at:
            return "withdrawn"
        return "waiting" if self.expires_at > timezone.now() else "expired"
