"""The record of what people did."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models.stores import Store


class Act(models.Model):
    """Who did what to which object, and what it was before and after. Never a secret."""

    at = models.DateTimeField(_("quando"), default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("quem"),
        related_name="acts",
        db_index=False,
    )
    address = models.GenericIPAddressField(_("de onde"), null=True)
    store = models.ForeignKey(
        Store,
        models.SET_NULL,
        verbose_name=_("loja"),
        null=True,
        related_name="acts",
        db_index=False,
    )
    model = models.CharField(_("tipo"), max_length=80)  # app_label.model_name
    object_id = models.CharField(max_length=40)
    object_text = models.CharField(_("objeto"), max_length=200)
    what = models.CharField(_("o que fez"), max_length=1000)
    changes = models.JSONField(_("antes e depois"), default=dict)

    class Meta:
        verbose_name = _("registro")
        verbose_name_plural = _("registro")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["store", "-id"], name="act_by_store"),
            models.Index(fields=["by", "-id"], name="act_by_person"),
            models.Index(fields=["model", "object_id", "-id"], name="act_by_object"),
            models.Index(fields=["at"], name="act_by_time"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%d/%m/%Y %H:%M} {self.by}: {self.what}"
