"""What may be switched on, and what is switched on for which store."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.contract import Account
from connectors.errors import Refused
from connectors.models.stores import Store
from connectors.registry import spec_of
from connectors.sealing import unseal_known
from connectors.spec import Mode, Spec

USER = settings.AUTH_USER_MODEL


class Connector(models.Model):
    """The row of a specification: what support may change without a developer."""

    slug = models.SlugField(_("código"), unique=True, editable=False)
    # The specification's own name, copied here so that the list can be searched.
    name = models.CharField(_("nome"), max_length=80, editable=False)
    enabled = models.BooleanField(
        _("disponível"), default=True, help_text=_("Desmarcado, não aceita novas integrações.")
    )
    contacts = models.TextField(
        _("contatos internos"), blank=True, help_text=_("Quem chamar quando a integração para.")
    )

    class Meta:
        verbose_name = _("conector")
        verbose_name_plural = _("conectores")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def spec(self) -> Spec:
        return spec_of(self.slug)


class State(models.TextChoices):
    DRAFT = "draft", _("Rascunho")
    WAITING = "waiting", _("Aguardando a primeira chamada")
    ACTIVE = "active", _("Ativa")
    PAUSED = "paused", _("Pausada")
    REVOKED = "revoked", _("Revogada")
    MOVED = "moved", _("Migrada para outra integração")


GOING_ON = (State.WAITING, State.ACTIVE)
IN_USE = (*GOING_ON, State.PAUSED)
OVER = (State.REVOKED, State.MOVED)
NOT_CONSUMING = (State.DRAFT, *OVER)


class ActivationQuerySet(models.QuerySet["Activation"]):
    def consuming(self) -> "ActivationQuerySet":
        """Those that may be offered orders: switched on, and not for good switched off."""
        return self.exclude(state__in=NOT_CONSUMING)

    def going_on(self) -> "ActivationQuerySet":
        return self.filter(state__in=GOING_ON)


class Activation(models.Model):
    """One connector switched on for one store. A store may hold several of one connector."""

    store = models.ForeignKey(
        Store, models.PROTECT, verbose_name=_("loja"), related_name="activations", db_index=False
    )
    connector = models.ForeignKey(
        Connector, models.PROTECT, verbose_name=_("conector"), related_name="activations"
    )
    mode = models.CharField(_("modo"), max_length=8, choices=Mode)
    name = models.CharField(_("nome do pluggin"), max_length=80)
    custom_name = models.CharField(_("nome personalizado"), max_length=80, blank=True)
    plugin_url = models.URLField(_("URL do pluggin"), max_length=500, blank=True)
    settings = models.JSONField(_("configurações"), default=dict, blank=True)
    state = models.CharField(_("situação"), max_length=8, choices=State, default=State.DRAFT)
    paused_reason = models.CharField(_("motivo da pausa"), max_length=500, blank=True)
    # Whom the partner authenticates as. They outlive every rotation of the two secrets.
    client_id = models.CharField(_("Client ID"), max_length=32, unique=True, null=True)
    api_user = models.CharField(_("API User"), max_length=13, unique=True, null=True)
    # The one that took over from it; who still calls with its credentials acts as that one.
    moved_to = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("migrada para"), null=True, related_name="moved_here"
    )
    # Made with the form: the same form sent twice activates once.
    submission = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("ativada por"), related_name="+"
    )
    created_at = models.DateTimeField(_("criada em"), default=timezone.now, editable=False)
    first_called_at = models.DateTimeField(_("primeira chamada"), null=True, editable=False)

    objects = ActivationQuerySet.as_manager()

    class Meta:
        verbose_name = _("integração")
        verbose_name_plural = _("integrações")
        ordering = ["-pk"]
        permissions = [("revoke_activation", _("Pode revogar integrações"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="activation_state_known"
            ),
            models.CheckConstraint(
                condition=Q(mode="partner", client_id__isnull=False, api_user__isnull=False)
                | Q(mode="managed", client_id=None, api_user=None),
                name="activation_identity_follows_mode",
            ),
            models.CheckConstraint(
                condition=Q(moved_to=None) & ~Q(state="moved")
                | Q(moved_to__isnull=False)
                & Q(state__in=["moved", "revoked"])
                & ~Q(moved_to=F("id")),
                name="activation_moved_leads_to_another",
            ),
            models.UniqueConstraint(
                fields=["store", "connector", "name"], name="activation_name_once_per_store"
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="activation_by_state")]

    def __str__(self) -> str:
        return f"{self.custom_name or self.name} ({self.store})"

    @property
    def spec(self) -> Spec:
        return self.connector.spec

    @property
    def is_consuming(self) -> bool:
        """As `consuming` asks the database."""
        return self.state not in NOT_CONSUMING

    @property
    def current(self) -> "Activation":
        """Itself, or the one that took over from it."""
        return self.moved_to or self

    @property
    def in_the_log(self) -> dict[str, str]:
        """Whose a line is that nobody's request caused: its `extra`."""
        return {"caller": f"store={self.store_id} activation={self.pk}"}

    def account(self) -> Account:
        """What a client of this activation needs. Its credentials are open: never log it. Raises
        `Refused` where their key is gone."""
        values = unseal_known(self.credentials.received().latest("pk").sealed)
        if not values:
            raise Refused(
                _(
                    "As credenciais foram seladas com uma chave que saiu de CREDENTIAL_KEYS:"
                    " registre-as outra vez na integração, ou ponha a chave de volta."
                ),
                cause="credentials",
            )
        return Account(self.plugin_url, values, self.settings, cnpj=self.store.cnpj)
