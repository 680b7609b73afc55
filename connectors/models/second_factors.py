"""What people of the support team show besides their password."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SecondFactor(models.Model):
    """The secret that somebody's authenticator application shares with us: sealed, because the
    codes are computed from it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="second_factor"
    )
    sealed = models.TextField(editable=False)
    # Its owner typed a right code: from here on it is asked for.
    confirmed_at = models.DateTimeField(_("ligado em"), null=True, editable=False)
    last_step = models.BigIntegerField(default=0, editable=False)  # a code is good for one use
    failures = models.PositiveSmallIntegerField(default=0, editable=False)  # in a row
    locked_until = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.user}"


class RecoveryCode(models.Model):
    """For who lost the telephone: hashed, good for one use."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.factor}"
