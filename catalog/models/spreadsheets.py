"""Spreadsheets that merchants send, and what became of each of their rows."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.hub.identifiers import new_public_id
from connectors.models import Activation, Store


class SpreadsheetQuerySet(models.QuerySet["Spreadsheet"]):
    def at_work(self) -> "SpreadsheetQuerySet":
        """Those that the queue has to do with."""
        return self.filter(state__in=[Spreadsheet.State.READING, Spreadsheet.State.IMPORTING])

    def free(self, now: datetime) -> "SpreadsheetQuerySet":
        """Those that nobody works at, or whose worker died."""
        return self.at_work().filter(Q(held_until=None) | Q(held_until__lte=now))


class Spreadsheet(models.Model):
    """One file: read and judged first, written when the merchant says so."""

    class Kind(models.TextChoices):
        PRODUCTS = "products", _("Cadastro de produtos")
        MAPPINGS = "mappings", _("De/Para")

    class State(models.TextChoices):
        READING = "reading", _("Conferindo")
        READY = "ready", _("Conferida: aguarda a sua confirmação")
        IMPORTING = "importing", _("Importando")
        DONE = "done", _("Concluída")
        UNREADABLE = "unreadable", _("Não deu para ler")
        CANCELLED = "cancelled", _("Descartada")

    public_id = models.CharField(max_length=24, unique=True, default=new_public_id, editable=False)
    store = models.ForeignKey(
        Store, models.CASCADE, verbose_name=_("loja"), related_name="spreadsheets", db_index=False
    )
    # Whose codes a De/Para holds.
    activation = models.ForeignKey(
        Activation, models.CASCADE, verbose_name=_("integração"), null=True, related_name="+"
    )
    kind = models.CharField(_("tipo"), max_length=8, choices=Kind)
    file_name = models.CharField(_("arquivo"), max_length=200)
    # As it came, until it was read.
    content = models.BinaryField(default=bytes, editable=False)
    is_csv = models.BooleanField(default=False)
    headers = models.JSONField(default=list)
    state = models.CharField(_("situação"), max_length=10, choices=State, default=State.READING)
    reason = models.CharField(_("motivo"), max_length=500, blank=True)
    rows = models.PositiveIntegerField(_("linhas"), default=0)
    # How far reading, and then importing, has come: the number of a row in the file.
    read_to = models.PositiveIntegerField(default=0)
    done_to = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("enviada em"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("enviada por"), related_name="+"
    )
    confirmed_at = models.DateTimeField(_("confirmada em"), null=True)
    ended_at = models.DateTimeField(_("terminada em"), null=True)

    objects = SpreadsheetQuerySet.as_manager()

    class Meta:
        verbose_name = _("planilha")
        verbose_name_plural = _("planilhas")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="products", activation=None)
                | Q(kind="mappings", activation__isnull=False),
                name="spreadsheet_of_codes_has_activation",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="spreadsheet_list"),
            models.Index(fields=["created_at"], name="spreadsheet_by_age"),
        ]

    def __str__(self) -> str:
        return self.file_name


class SpreadsheetRow(models.Model):
    """One row as it stands in the file, and what it does or did."""

    class Outcome(models.TextChoices):
        CREATE = "create", _("cria")
        UPDATE = "update", _("altera")
        SAME = "same", _("nada muda")
        REFUSED = "refused", _("recusada")

    spreadsheet = models.ForeignKey(
        Spreadsheet, models.CASCADE, related_name="lines", db_index=False
    )
    number = models.PositiveIntegerField(_("linha"))
    key = models.CharField(_("SKU"), max_length=200, blank=True)
    # A second key that may stand in the file once: of a De/Para the product.
    second_key = models.CharField(max_length=200, blank=True)
    cells = models.JSONField()
    outcome = models.CharField(_("resultado"), max_length=7, choices=Outcome)
    reason = models.TextField(_("motivo"), blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["spreadsheet", "number"], name="row_once_per_spreadsheet"
            )
        ]
        indexes = [
            models.Index(fields=["spreadsheet", "outcome", "number"], name="row_by_outcome"),
            models.Index(fields=["spreadsheet", "key"], name="row_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.key}"
