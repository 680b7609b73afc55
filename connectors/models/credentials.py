"""What is authenticated with, on either side."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.activations import IN_USE, Activation

USER = settings.AUTH_USER_MODEL
# Of what ends within this time somebody should know.
ENDS_SOON = timedelta(days=14)


class CredentialQuerySet(models.QuerySet["Credential"]):
    def received(self) -> "CredentialQuerySet":
        return self.filter(kind=Credential.Kind.RECEIVED)

    def issued_in_use(self) -> "CredentialQuerySet":
        """Those that a partner may come in with now."""
        not_ended = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
        return self.filter(not_ended, kind=Credential.Kind.ISSUED, revoked_at=None)

    def ending(self, within: timedelta) -> "CredentialQuerySet":
        """Those of integrations at work that end soon, or ended already, with none to follow, or
        none that the partner has come in with."""
        later = Credential.objects.filter(
            activation=OuterRef("activation"),
            kind=OuterRef("kind"),
            pk__gt=OuterRef("pk"),
            revoked_at=None,
        )
        taken_up = later.filter(Q(kind=Credential.Kind.RECEIVED) | Q(last_used_at__isnull=False))
        return self.filter(
            ~Exists(taken_up),
            Q(last_used_at__isnull=False) | ~Exists(later),
            ends_at__lt=timezone.now() + within,
            revoked_at=None,
            activation__state__in=IN_USE,
        )


class Credential(models.Model):
    """What the partner authenticates with (issued), or what we authenticate with (received).

    Issued ones are the two secrets that go with the activation's two names: random and long, so
    that a plain SHA-256 cannot be searched backwards. What we must present ourselves is sealed: the
    received ones, and the secret that signs the notices, which is issued with the other two.
    """

    class Kind(models.TextChoices):
        ISSUED = "issued", _("emitida por nós")
        RECEIVED = "received", _("recebida do sistema")

    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), related_name="credentials"
    )
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
    # An issued one's end while another takes its place; of a received one what the platform said.
    # Empty: the issued one has no end, the received one's is unknown.
    ends_at = models.DateTimeField(_("vale até"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revogada em"), null=True, editable=False)
    revoked_by = models.ForeignKey(
        USER,
        models.PROTECT,
        verbose_name=_("revogada por"),
        null=True,
        related_name="+",
    )

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = _("credencial")
        verbose_name_plural = _("credenciais")
        ordering = ["-pk"]
        permissions = [("revoke_credential", _("Pode revogar credenciais"))]
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

    @property
    def is_in_use(self) -> bool:
        """A received one is presented until the platform refuses it, whatever its end."""
        ended = self.kind == self.Kind.ISSUED and self.ends_at and self.ends_at <= timezone.now()
        return self.revoked_at is None and not ended


class AccessToken(models.Model):
    """A pair of bearer tokens, both hashed. Issuing one does not end the earlier ones."""

    credential = models.ForeignKey(Credential, models.CASCADE, related_name="tokens")
    access_hash = models.CharField(max_length=64, unique=True)
    access_expires_at = models.DateTimeField()
    refresh_hash = models.CharField(max_length=64, unique=True)
    refresh_expires_at = models.DateTimeField(db_index=True)
    refreshed_at = models.DateTimeField(null=True)  # a refresh token is good for one use

    def __str__(self) -> str:
        return f"{self.credential} · {timezone.localtime(self.access_expires_at):%d/%m/%Y %H:%M}"


class AuthorizationCode(models.Model):
    """What an App swaps for tokens when it is opened from the portal: hashed, good for one use."""

    activation = models.ForeignKey(Activation, models.CASCADE, related_name="codes")
    code_hash = models.CharField(max_length=64, unique=True)
    issued_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.activation} · {timezone.localtime(self.expires_at):%d/%m/%Y %H:%M}"
