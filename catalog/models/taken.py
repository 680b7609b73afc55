"""What we have of each platform's records, so that what has not changed is not written again."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models.products import Product
from connectors.contract import Flow
from connectors.models import Activation


class Taken(models.Model):
    """One record of one flow of one platform, as it was last taken: a digest of what arrived.

    No digest: somebody else has changed the product since, so what arrives next is compared in
    full, whether it is new or not.
    """

    activation = models.ForeignKey(Activation, models.CASCADE, db_index=False, related_name="+")
    flow = models.CharField(max_length=12, choices=Flow)
    record_id = models.CharField(max_length=200)  # the platform's code for the product
    product = models.ForeignKey(Product, models.CASCADE, related_name="taken")
    digest = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "flow", "record_id"], name="record_taken_once"
            )
        ]
        indexes = [
            models.Index(fields=["digest"], name="taken_digest", condition=Q(digest__isnull=False)),
            models.Index(
                fields=["activation", "flow"], name="taken_forgotten", condition=Q(digest=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow} {self.record_id}"


class TakenPage(models.Model):
    """A page that was taken as a whole. While no record of its flow changed or was forgotten, one
    look at it says what otherwise takes a look at each of its records."""

    activation = models.ForeignKey(Activation, models.CASCADE, db_index=False, related_name="+")
    flow = models.CharField(max_length=12, choices=Flow)
    digest = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["activation", "flow", "digest"], name="page_taken_once")
        ]
        indexes = [models.Index(fields=["at"], name="page_by_age")]

    def __str__(self) -> str:
        return f"{self.flow} {self.digest}"
