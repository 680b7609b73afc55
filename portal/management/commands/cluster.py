import sys
from typing import Any

from django.core.management.base import BaseCommand

from portal.cluster import run


class Command(BaseCommand):
    help = "Run a cluster of the queue: workers, and the clock of the recurring tasks."
    # They load every page, and with them what no task needs. A web process goes without, too.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(run())
