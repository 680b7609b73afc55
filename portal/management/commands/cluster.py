import sys
from typing import Any

from django.core.management.base import BaseCommand

from portal.cluster import run


class Command(BaseCommand):
    help = "Run a cluster of the queue: workers, and the clock of the recurring tasks."

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(run())
