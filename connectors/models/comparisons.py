"""Both sides compared, record by record, with nothing written to either."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.contract import Flow
from connectors.models.activations import OVER, Activation

USER = settings.AUTH_USER_MODEL
# They are made once a day, some of them a little later.
LATEST = timedelta(hours=26)


class ComparisonQuerySet(models.QuerySet["Comparison"]):
    def holding(self) -> "ComparisonQuerySet":
        """Previews that somebody must approve before anything is written."""
        return self.filter(holds=True, approved_at=None).exclude(activation__state__in=OVER)

    def differing(self, now: datetime) -> "ComparisonQuerySet":
        """Those of the last day that found something, apart from previews, which somebody asked
        for and looks at. A newer one takes the place of an older one."""
        daily = self.filter(ended_at__isnull=False, asked_at__gt=now - LATEST)
        newer = Comparison.objects.filter(
            activation=OuterRef("activation"),
            purpose=OuterRef("purpose"),
            pk__gt=OuterRef("pk"),  # whatever the clock said
        )
        found = Difference.objects.filter(comparison=OuterRef("pk"))
        daily = daily.exclude(purpose=Comparison.Purpose.PREVIEW)
        daily = daily.exclude(activation__state__in=OVER)
        return daily.filter(Exists(found), ~Exists(newer))


class Comparison(models.Model):
    """One reading of everything that the other side has, compared with what we have. It takes as
    many steps as it needs; `ability` and `cursor` say where the next one begins."""

    class Purpose(models.TextChoices):
        PREVIEW = "preview", _("Prévia da sincronização")
        CATALOGUE = "catalogue", _("Conciliação do catálogo")
        CHANNEL = "channel", _("Conciliação do canal")
        ORDERS = "orders", _("Conciliação dos pedidos")

    activation = models.ForeignKey(
        Activation,
        models.CASCADE,
        verbose_name=_("integração"),
        related_name="comparisons",
        db_index=False,
    )
    purpose = models.CharField(_("finalidade"), max_length=9, choices=Purpose)
    asked_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("pedida por"), null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("pedida em"), default=timezone.now)
    due_at = models.DateTimeField(_("próxima etapa"), default=timezone.now)
    # One worker at a time. If he dies, somebody else goes on after this.
    busy_until = models.DateTimeField(null=True)
    ability = models.CharField(max_length=32, blank=True)
    cursor = models.TextField(blank=True)
    seen = models.PositiveIntegerField(_("registros lidos"), default=0)
    # By flow, then by what was found: also beyond the differences that are listed.
    counts = models.JSONField(_("contagens"), default=dict)
    ended_at = models.DateTimeField(_("terminou em"), null=True)
    reason = models.CharField(_("motivo"), max_length=500, blank=True)  # why it ended early
    # The first one of an integration: its catalogue flows wait until this is approved.
    holds = models.BooleanField(_("segura a sincronização"), default=False)
    approved_at = models.DateTimeField(_("aprovada em"), null=True)
    approved_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("aprovada por"), null=True, related_name="+"
    )

    objects = ComparisonQuerySet.as_manager()

    class Meta:
        verbose_name = _("comparação")
        verbose_name_plural = _("comparações")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "purpose"],
                condition=Q(ended_at=None),
                name="one_open_comparison_per_purpose",
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None, approved_by=None)
                | Q(approved_at__isnull=False, approved_by__isnull=False, purpose="preview"),
                name="preview_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(holds=False) | Q(purpose="preview"), name="only_a_preview_holds"
            ),
        ]
        indexes = [
            models.Index(fields=["activation", "purpose", "asked_at"], name="comparison_latest"),
            models.Index(fields=["due_at"], name="comparison_due", condition=Q(ended_at=None)),
            models.Index(
                fields=["activation"],
                name="comparison_holding",
                condition=Q(holds=True, approved_at=None),
            ),
            models.Index(fields=["asked_at"], name="comparison_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.activation}"


class DifferenceQuerySet(models.QuerySet["Difference"]):
    def mendable(self) -> "DifferenceQuerySet":
        """Those that fetching, or sending once more, may mend."""
        kinds = Difference.Kind
        sent_to = Q(flow=Flow.ORDERS) | Q(comparison__purpose=Comparison.Purpose.CHANNEL)
        return self.filter(
            Q(kind__in=[kinds.CREATE, kinds.UPDATE]) | Q(kind=kinds.MISSING_THERE) & sent_to
        )

    def to_do(self) -> "DifferenceQuerySet":
        return self.filter(asked_at__isnull=False, done_at=None)


class Difference(models.Model):
    """One record in which the two sides differ, or that one of them cannot take."""

    class Kind(models.TextChoices):
        CREATE = "create", _("Falta aqui")
        UPDATE = "update", _("Diferente")
        MISSING_THERE = "missing_there", _("Falta lá")
        SURPLUS = "surplus", _("Sobra lá")
        UNMAPPED = "unmapped", _("Sem produto nem De/Para")
        DUPLICATE = "duplicate", _("Repetido")
        ZERO_PRICE = "zero_price", _("Preço zero")
        UNREADABLE = "unreadable", _("Não dá para ler")
        REFUSED = "refused", _("Recusado por uma regra do portal")
        NEVER_READ = "never_read", _("Nunca lido pelo parceiro")

    comparison = models.ForeignKey(
        Comparison, models.CASCADE, verbose_name=_("comparação"), related_name="differences"
    )
    flow = models.CharField(_("fluxo"), max_length=12, choices=Flow)
    kind = models.CharField(_("o que há"), max_length=13, choices=Kind)
    record_id = models.CharField(_("registro"), max_length=200)
    ours = models.CharField(_("aqui"), max_length=500, blank=True)
    theirs = models.CharField(_("lá"), max_length=500, blank=True)
    # Somebody asked for it to be fetched, or sent.
    asked_at = models.DateTimeField(_("pedido em"), null=True)
    asked_by = models.ForeignKey(
        USER, models.PROTECT, verbose_name=_("pedido por"), null=True, related_name="+"
    )
    done_at = models.DateTimeField(_("feito em"), null=True)
    result = models.CharField(_("resultado"), max_length=500, blank=True)

    objects = DifferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("diferença")
        verbose_name_plural = _("diferenças")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(asked_at=None, asked_by=None, done_at=None)
                | Q(asked_at__isnull=False, asked_by__isnull=False),
                name="difference_asked_for_by_somebody",
            )
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="difference_asked_for",
                condition=Q(asked_at__isnull=False, done_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.record_id}"

    @property
    def is_mendable(self) -> bool:
        """As `mendable` says of many."""
        if self.kind == self.Kind.MISSING_THERE:
            return self.is_mended_by_sending
        return self.kind in (self.Kind.CREATE, self.Kind.UPDATE)

    @property
    def is_mended_by_sending(self) -> bool:
        """The others are mended by fetching."""
        if self.flow == Flow.ORDERS:
            return self.kind != self.Kind.CREATE
        return self.comparison.purpose == Comparison.Purpose.CHANNEL


class Listed(models.Model):
    """One record that the other side listed, while a comparison goes on."""

    comparison = models.ForeignKey(
        Comparison, models.CASCADE, db_index=False, related_name="listed"
    )
    flow = models.CharField(max_length=12, choices=Flow)
    record_id = models.CharField(max_length=200)
    ean = models.CharField(max_length=50, blank=True)
    digest = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["comparison", "flow", "record_id"], name="record_listed_once"
            )
        ]
        indexes = [
            models.Index(fields=["comparison", "ean"], name="listed_ean", condition=~Q(ean=""))
        ]

    def __str__(self) -> str:
        return self.record_id
