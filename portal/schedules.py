"""Every recurring task, in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone
from django_q.models import Schedule

from catalog.comparing import compare_all_catalogues
from catalog.comparing_channels import compare_all_channels
from catalog.push import push_all_prices, push_all_products, push_all_stock
from catalog.spreadsheets.jobs import continue_all_spreadsheets, prune_spreadsheets
from catalog.taking import prune_pages
from catalog.tasks import pull_all_prices, pull_all_products, pull_all_stock
from connectors.attempts import prune_attempts
from connectors.comparisons import prune_comparisons
from connectors.hub.tokens import prune_tokens
from connectors.messages.hooks import deliver_all_events, prune_events
from connectors.messages.notices import deliver_all_notices, prune_notices
from connectors.messages.rings import prune_rings
from connectors.queue import dotted
from connectors.runs.pruning import prune_runs
from connectors.services import check_all_waiting
from connectors.trouble.alerts import deliver_all_alerts
from connectors.trouble.incidents import watch_flows
from connectors.trouble.pruning import prune_troubles
from orders.comparing import compare_all_orders
from orders.mails import send_all_mails
from orders.personal_data import anonymise_all_ended
from orders.statistics import fold_all_tallies
from orders.tasks import link_all_late_lines, pull_all_fulfilments, pull_all_orders, push_all_orders
from portal.pruning import prune_sessions


@dataclass(frozen=True)
class Recurring:
    task: Callable[[], None]
    minutes: int

    @property
    def name(self) -> str:
        return self.task.__name__


# Each `_all_` task asks whose turn it is, and starts the others. A connector's own cadence is in
# its specification; a minute here is only how often we look.
RECURRING = (
    Recurring(pull_all_orders, minutes=1),
    Recurring(push_all_orders, minutes=1),
    Recurring(pull_all_fulfilments, minutes=1),
    Recurring(pull_all_stock, minutes=1),
    Recurring(pull_all_prices, minutes=1),
    Recurring(pull_all_products, minutes=1),
    Recurring(push_all_products, minutes=1),
    Recurring(push_all_prices, minutes=1),
    Recurring(push_all_stock, minutes=1),
    Recurring(compare_all_catalogues, minutes=1),
    Recurring(compare_all_channels, minutes=1),
    Recurring(compare_all_orders, minutes=1),
    Recurring(link_all_late_lines, minutes=5),
    Recurring(fold_all_tallies, minutes=5),
    Recurring(send_all_mails, minutes=1),
    Recurring(deliver_all_notices, minutes=1),
    Recurring(deliver_all_events, minutes=1),
    Recurring(check_all_waiting, minutes=1),
    Recurring(watch_flows, minutes=1),
    Recurring(deliver_all_alerts, minutes=1),
    Recurring(prune_tokens, minutes=60),
    Recurring(prune_attempts, minutes=60),
    Recurring(prune_notices, minutes=60),
    Recurring(prune_events, minutes=60),
    Recurring(prune_rings, minutes=60),
    Recurring(prune_runs, minutes=60),
    Recurring(prune_troubles, minutes=60),
    Recurring(prune_comparisons, minutes=60),
    Recurring(prune_pages, minutes=60),
    Recurring(anonymise_all_ended, minutes=60),
    Recurring(continue_all_spreadsheets, minutes=1),
    Recurring(prune_spreadsheets, minutes=60),
    Recurring(prune_sessions, minutes=60),
)


def follow_clock_back() -> None:
    """The clock was put back: what was to run next in what is the far future now runs at once."""
    now = timezone.now()
    for minutes in {recurring.minutes for recurring in RECURRING}:
        wait = timedelta(minutes=minutes + 1)  # hosts' clocks differ a little
        late = Schedule.objects.filter(minutes=minutes, next_run__gt=now + wait)
        late.update(next_run=now)


@transaction.atomic
def install() -> None:
    """Write the table into django-q2's, and take out whatever else is there: one malformed row
    stops every schedule in silence (domain.md, section 1). Nothing there keeps a name from being
    written twice but that one installs after the other."""
    if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with connection.cursor() as cursor:
            # In the way of nobody who reads the table, or notes what he has started.
            cursor.execute(f"LOCK TABLE {Schedule._meta.db_table} IN SHARE UPDATE EXCLUSIVE MODE")
    names = [recurring.name for recurring in RECURRING]
    ours = Schedule.objects.filter(name__in=names).values("name").annotate(first=Min("pk"))
    Schedule.objects.exclude(pk__in=[row["first"] for row in ours]).delete()
    for recurring in RECURRING:
        row = {
            "func": dotted(recurring.task),
            "schedule_type": Schedule.MINUTES,
            "minutes": recurring.minutes,
            "repeats": -1,
            "args": None,
            "kwargs": None,
        }
        Schedule.objects.update_or_create(
            name=recurring.name,
            defaults=row,
            create_defaults={**row, "next_run": timezone.now()},
        )
