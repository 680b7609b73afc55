"""The tokens that platforms gave for our credentials."""

from django.db import models

from connectors.models.credentials import Credential


class SharedToken(models.Model):
    """The token that all runs of an activation use, until it is renewed: one for one credential,
    so that a new credential begins without one."""

    credential = models.OneToOneField(
        Credential, models.CASCADE, primary_key=True, related_name="shared_token"
    )
    sealed = models.TextField(blank=True, editable=False)  # access and refresh token
    renew_at = models.DateTimeField(null=True, editable=False)
    # Somebody is asking for a new one; after that he is taken for dead.
    asking_until = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.credential}"
