"""Stores, what is switched on for them, and the record of everything that ran."""

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.contract import Account, Flow
from connectors.errors import ConnectorError, Rejected, Unauthorized, Unavailable, Unreadable
from connectors.fiscal import CNPJ_PATTERN
from connectors.registry import SPECS
from connectors.sealing import unseal
from connectors.spec import Mode, Spec

USER = settings.AUTH_USER_MODEL


class Store(models.Model):
    """A merchant's shop: the tenant. Nothing crosses from one store to another."""

    name = models.CharField(_("nome"), max_length=120)
    cnpj = models.CharField(_("CNPJ"), max_length=14, help_text=_("Com letras ou só números."))
    domain = models.CharField(_("domínio"), max_length=253, unique=True)
    members: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(
        USER, verbose_name=_("lojistas"), related_name="stores", blank=True
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
        return SPECS[self.slug]


class State(models.TextChoices):
    DRAFT = "draft", _("Rascunho")
    WAITING = "waiting", _("Aguardando a primeira chamada")
    ACTIVE = "active", _("Ativa")
    PAUSED = "paused", _("Pausada")
    REVOKED = "revoked", _("Revogada")


class ActivationQuerySet(models.QuerySet["Activation"]):
    def consuming(self) -> "ActivationQuerySet":
        """Those that may be offered orders: switched on, and not for good switched off."""
        return self.exclude(state__in=[State.DRAFT, State.REVOKED])


class Activation(models.Model):
    """One connector switched on for one store. A store may hold several of one connector."""

    store = models.ForeignKey(
        Store, models.PROTECT, verbose_name=_("loja"), related_name="activations"
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
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="activation_state_known"
            ),
            models.CheckConstraint(
                condition=Q(mode="partner", client_id__isnull=False, api_user__isnull=False)
                | Q(mode="managed", client_id=None, api_user=None),
                name="activation_identity_follows_mode",
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

    def account(self) -> Account:
        """What a client of this activation needs. Its credentials are open: never log it."""
        credential = self.credentials.filter(kind=Credential.Kind.RECEIVED).latest("pk")
        return Account(self.plugin_url, unseal(credential.sealed), self.settings)


class Credential(models.Model):
    """What the partner authenticates with (issued), or what we authenticate with (received).

    Issued ones are the two secrets that go with the activation's two names: random and long, so
    that a plain SHA-256 cannot be searched backwards. What we must present ourselves is sealed: the
    received ones, and the secret that signs the notices, which is issued with the other two.
    """

    class Kind(models.TextChoices):
        ISSUED = "issued", _("emitida por nós")
        RECEIVED = "received", _("recebida do sistema")

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="credentials")
    kind = models.CharField(_("tipo"), max_length=8, choices=Kind)
    client_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    api_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    sealed = models.TextField(blank=True, editable=False)
    # Enough to tell two credentials apart on the telephone, not enough to use one.
    fingerprint = models.CharField(_("impressão digital"), max_length=16)
    created_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("criada por"), related_name="+"
    )
    created_at = models.DateTimeField(_("criada em"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("último uso"), null=True, editable=False)
    last_used_from = models.GenericIPAddressField(_("usada de"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revogada em"), null=True, editable=False)
    revoked_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("revogada por"), null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("credencial")
        verbose_name_plural = _("credenciais")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    (Q(kind="issued") & ~Q(client_secret_hash="") & ~Q(api_secret_hash=""))
                    | Q(kind="received", client_secret_hash="", api_secret_hash="")
                )
                & ~Q(sealed=""),
                name="credential_holds_what_its_kind_needs",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.fingerprint}"


class AccessToken(models.Model):
    """A pair of bearer tokens, both hashed. Issuing one does not end the earlier ones."""

    credential = models.ForeignKey(Credential, models.CASCADE, related_name="tokens")
    access_hash = models.CharField(max_length=64, unique=True)
    access_expires_at = models.DateTimeField()
    refresh_hash = models.CharField(max_length=64, unique=True)
    refresh_expires_at = models.DateTimeField(db_index=True)
    refreshed_at = models.DateTimeField(null=True)  # a refresh token is good for one use

    def __str__(self) -> str:
        return f"{self.credential} · {self.access_expires_at:%d/%m/%Y %H:%M}"


class AuthorizationCode(models.Model):
    """What an App swaps for tokens when it is opened from the portal: hashed, good for one use."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="codes")
    code_hash = models.CharField(max_length=64, unique=True)
    issued_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.activation} · {self.expires_at:%d/%m/%Y %H:%M}"


class ActivationFlow(models.Model):
    """One flow of one managed activation: when it runs next, and how far it has come."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="flows")
    ability = models.CharField(max_length=32)  # the ability's class name
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    # Seconds between two runs. The client may have set them, where the specification lets him.
    every = models.PositiveIntegerField(_("intervalo (segundos)"))
    due_at = models.DateTimeField(_("próxima execução"), default=timezone.now)
    cursor = models.TextField(_("cursor"), blank=True)
    failures_in_a_row = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    last_success_at = models.DateTimeField(_("último sucesso"), null=True)
    last_change_at = models.DateTimeField(_("última mudança"), null=True)

    class Meta:
        verbose_name = _("fluxo")
        verbose_name_plural = _("fluxos")
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "ability"], name="flow_once_per_activation"
            ),
            models.CheckConstraint(condition=Q(every__gt=0), name="flow_has_interval"),
        ]
        indexes = [models.Index(fields=["ability", "due_at"], name="flow_due")]

    def __str__(self) -> str:
        return f"{self.get_flow_display()} · {self.activation}"


class Run(models.Model):
    """One attempt at one flow of one activation."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("Em execução")
        DONE = "done", _("Concluída")
        PARTIAL = "partial", _("Concluída com falhas")
        FAILED = "failed", _("Falhou")
        ABANDONED = "abandoned", _("Interrompida")

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="runs"
    )
    ability = models.CharField(_("capacidade"), max_length=32)
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    started_at = models.DateTimeField(_("início"), default=timezone.now)
    # An open run holds the flow until then; after that its owner is taken for dead.
    expires_at = models.DateTimeField(_("expira em"))
    ended_at = models.DateTimeField(_("fim"), null=True)
    outcome = models.CharField(
        _("resultado"), max_length=9, choices=Outcome, default=Outcome.RUNNING
    )
    seen = models.PositiveIntegerField(_("lidos"), default=0)
    changed = models.PositiveIntegerField(_("mudaram"), default=0)
    failed = models.PositiveIntegerField(_("falharam"), default=0)
    cursor_before = models.TextField(_("cursor antes"), blank=True)
    cursor_after = models.TextField(_("cursor depois"), blank=True)
    reason = models.CharField(_("motivo"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("execução")
        verbose_name_plural = _("execuções")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "ability"],
                condition=Q(ended_at=None),
                name="one_open_run_per_flow",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="running")
                | (Q(ended_at__isnull=False) & ~Q(outcome="running")),
                name="run_ends_with_an_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["activation", "-id"], name="run_by_activation"),
            models.Index(fields=["outcome", "-id"], name="run_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.get_flow_display()} · {self.get_outcome_display()}"


class Failure(models.Model):
    """One record that could not be taken or delivered: what, why, and whether it is mended."""

    class Kind(models.TextChoices):
        """Who must act follows from the kind (connectors.errors)."""

        UNAVAILABLE = "unavailable", _("Fora do ar: tentamos de novo")
        UNAUTHORIZED = "unauthorized", _("Credencial recusada")
        REJECTED = "rejected", _("Recusado pelo sistema")
        UNREADABLE = "unreadable", _("Formato desconhecido")
        REFUSED = "refused", _("Recusado por uma regra do portal")
        BROKEN = "broken", _("Erro do portal")

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="failures"
    )
    run = models.ForeignKey(
        Run, models.SET_NULL, verbose_name=_("execução"), null=True, related_name="failures"
    )
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    record_id = models.CharField(_("registro"), max_length=200, blank=True)
    kind = models.CharField(_("tipo"), max_length=12, choices=Kind)
    reason = models.TextField(_("motivo"))
    payload = models.JSONField(_("conteúdo"), null=True, encoder=DjangoJSONEncoder)
    times = models.PositiveIntegerField(_("vezes"), default=1)
    first_at = models.DateTimeField(_("primeira vez"), default=timezone.now)
    last_at = models.DateTimeField(_("última vez"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolvida em"), null=True)
    resolution = models.CharField(_("resolução"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("falha")
        verbose_name_plural = _("falhas")
        ordering = ["-last_at", "-pk"]
        constraints = [
            # The same record failing again is the same failure, until somebody mends it.
            models.UniqueConstraint(
                fields=["activation", "flow", "record_id"],
                condition=Q(resolved_at=None),
                name="one_open_failure_per_record",
            )
        ]
        indexes = [models.Index(fields=["-last_at", "-id"], name="failure_list")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.record_id or self.get_flow_display()}"

    @classmethod
    def kind_of(cls, error: Exception) -> "Failure.Kind":
        kinds: dict[type[ConnectorError], Failure.Kind] = {
            Unavailable: cls.Kind.UNAVAILABLE,
            Unauthorized: cls.Kind.UNAUTHORIZED,
            Rejected: cls.Kind.REJECTED,
            Unreadable: cls.Kind.UNREADABLE,
        }
        return kinds[type(error)] if isinstance(error, ConnectorError) else cls.Kind.REFUSED


class Breaker(models.TextChoices):
    """Whether notices go to an address now (connectors/notices.py)."""

    CLOSED = "closed", _("Ligadas")
    OPEN = "open", _("Em espera: o endereço não responde")
    HALF_OPEN = "half_open", _("Em espera de um teste")
    DISABLED = "disabled", _("Desligadas")


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def ready(self, now: datetime) -> "EndpointQuerySet":
        """Those that may be called now, and nobody is calling."""
        # A paused integration's notices wait for it; a revoked one's are for nobody.
        return self.filter(
            Q(open_until=None) | Q(open_until__lte=now),
            Q(busy_until=None) | Q(busy_until__lte=now),
            disabled_at=None,
            activation__state__in=[State.WAITING, State.ACTIVE],
        ).exclude(activation__plugin_url="")

    def forget_failures(self) -> None:
        self.update(failures_in_a_row=0, failing_since=None, open_until=None)


class Endpoint(models.Model):
    """How a partner's address for notices has answered lately, and what we make of it."""

    activation = models.OneToOneField(Activation, models.CASCADE, primary_key=True)
    failures_in_a_row = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    failing_since = models.DateTimeField(_("falhando desde"), null=True)
    last_success_at = models.DateTimeField(_("última entrega"), null=True)
    open_until = models.DateTimeField(_("em espera até"), null=True)
    disabled_at = models.DateTimeField(_("notificações desligadas em"), null=True)
    disabled_reason = models.CharField(_("motivo"), max_length=500, blank=True)
    # One deliverer at a time. If he dies, the address is free after this.
    busy_until = models.DateTimeField(null=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("endereço de notificação")
        verbose_name_plural = _("endereços de notificação")
        constraints = [
            models.CheckConstraint(
                condition=Q(failures_in_a_row=0, failing_since=None)
                | Q(failures_in_a_row__gt=0, failing_since__isnull=False),
                name="endpoint_fails_since_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="endpoint_disabled_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return str(self.activation)

    @property
    def breaker(self) -> Breaker:
        if self.disabled_at:
            return Breaker.DISABLED
        if self.open_until is None:
            return Breaker.CLOSED
        return Breaker.OPEN if self.open_until > timezone.now() else Breaker.HALF_OPEN


def new_message_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def waiting(self) -> "NoticeQuerySet":
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self, now: datetime) -> "NoticeQuerySet":
        return self.waiting().filter(due_at__lte=now)


class Notice(models.Model):
    """One notification that must reach a plugin's URL (pluggto-api.md, section 12)."""

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="notices",
        db_index=False,  # two of the indexes below begin with it
    )
    # The same however often it is sent, and for a replay: by it a receiver knows a repetition.
    message_id = models.CharField(_("mensagem"), max_length=36, default=new_message_id)
    topic = models.CharField(_("assunto"), max_length=12)  # "orders", "products", "skus"
    action = models.CharField(_("ação"), max_length=12)  # "created", "updated", "deleted"
    object_id = models.CharField(_("registro"), max_length=200)
    changes = models.JSONField(_("mudanças"), default=dict)
    created_at = models.DateTimeField(_("criada em"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tentativas"), default=0)
    failing_since = models.DateTimeField(_("falhando desde"), null=True)
    due_at = models.DateTimeField(_("próxima tentativa"), default=timezone.now)
    delivered_at = models.DateTimeField(_("entregue em"), null=True)
    given_up_at = models.DateTimeField(_("desistimos em"), null=True)
    last_status = models.PositiveSmallIntegerField(_("último status HTTP"), null=True)
    last_error = models.CharField(_("último erro"), max_length=500, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notificação")
        verbose_name_plural = _("notificações")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(given_up_at=None), name="notice_ends_in_one_way"
            )
        ]
        indexes = [
            # By activation first: whether an address has something due, and what is next for it,
            # is one look into the index, however many thousands wait for a dead one.
            models.Index(
                fields=["activation", "due_at", "id"],
                name="notice_due",
                condition=Q(delivered_at=None, given_up_at=None),
            ),
            models.Index(fields=["activation", "-id"], name="notice_by_activation"),
            models.Index(fields=["created_at"], name="notice_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.action} {self.object_id}"
