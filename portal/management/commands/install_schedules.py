from typing import Any

from django.core.management.base import BaseCommand

from portal.schedules import RECURRING, install


class Command(BaseCommand):
    help = "Write the recurring tasks into the queue's table. Run it after every deployment."

    def handle(self, *args: Any, **options: Any) -> None:
        install()
        self.stdout.write(f"{len(RECURRING)} recurring tasks installed.")
