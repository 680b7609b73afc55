"""Whose everything is: the tenant."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.fiscal import CNPJ_PATTERN


class Store(models.Model):
    """A merchant's shop: the tenant. Nothing crosses from one store to another."""

    name = models.CharField(_("nome"), max_length=120)
    cnpj = models.CharField(_("CNPJ"), max_length=14, help_text=_("Com letras ou só números."))
    domain = models.CharField(_("domínio"), max_length=253, unique=True)
    members: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("lojistas"), related_name="stores", blank=True
    )
    personal_data_days = models.PositiveIntegerField(
        _("anonimizar depois de (dias)"),
        null=True,
        blank=True,
        help_text=_("Contados do fim do pedido. Em branco: os dados dos compradores ficam."),
    )
    created_at = models.DateTimeField(_("criada em"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("loja")
        verbose_name_plural = _("lojas")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(cnpj__regex=CNPJ_PATTERN), name="store_cnpj_shape"),
            models.CheckConstraint(condition=~Q(domain=""), name="store_has_domain"),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="store_list"),
            models.Index(fields=["cnpj"], name="store_cnpj"),
        ]

    def __str__(self) -> str:
        return self.name
