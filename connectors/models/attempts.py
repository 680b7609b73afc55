"""Who failed lately at what nobody may guess."""

from django.db import models
from django.utils import timezone


class FailedAttempts(models.Model):
    """Named by the hash of what was tried and of who tried it: of a caller nothing is kept."""

    name = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=1)
    since = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.name[:8]} · {self.count}"
