"""How often somebody may be wrong. Counted in the database, for all processes together."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from connectors.hashing import digest
from connectors.models import FailedAttempts

WINDOW = timedelta(seconds=settings.ATTEMPTS_WINDOW)


class TooManyAttempts(Exception):
    """Even who is right waits."""


class Attempts:
    """Somebody's at one thing, as an address at one client's secret."""

    def __init__(self, what: str, *who: str, most: int = settings.FAILED_ATTEMPTS) -> None:
        self.name, self.most = digest("\0".join((what, *who))), most

    def are_too_many(self) -> bool:
        return self.exceeded().exists()

    def exceeded(self) -> QuerySet[FailedAttempts]:
        """For a query that asks for more than this: a row where they are too many."""
        return self._counted(timezone.now()).filter(count__gte=self.most)

    def note(self) -> None:
        """The window begins with the first one."""
        now = timezone.now()
        if not self._counted(now).update(count=F("count") + 1):
            begun = {"count": 1, "since": now}
            FailedAttempts.objects.update_or_create(pk=self.name, defaults=begun)

    def _counted(self, now: datetime) -> QuerySet[FailedAttempts]:
        """Not what began in what is the far future since the clock was put back."""
        mine = FailedAttempts.objects.filter(pk=self.name)
        return mine.filter(since__gt=now - WINDOW, since__lt=now + WINDOW)


def prune_attempts() -> None:
    FailedAttempts.objects.filter(since__lte=timezone.now() - WINDOW).delete()
