"""How many calls the platforms' accounts have left."""

from django.db import models
from django.utils import timezone


class CallBudget(models.Model):
    """The calls of one kind that one account at a platform made in this minute and in the last.

    The account is named by what it is to the platform, not by the activation: two that use the
    same credential share it.
    """

    account = models.CharField(max_length=64)
    kind = models.CharField(max_length=12)
    per_minute = models.PositiveIntegerField(null=True)  # as the platform's answers say
    minute = models.DateTimeField(default=timezone.now)  # when this minute began
    used = models.PositiveIntegerField(default=0)
    used_before = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "kind"], name="budget_once_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.account[:8]} {self.kind}"
