from typing import Any

from django.core.management.base import BaseCommand

from connectors.resealing import reseal_all


class Command(BaseCommand):
    help = (
        "Seal everything anew with the first of CREDENTIAL_KEYS. First put the new key before the"
        " old one and restart; run this; then take the old key away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for name, count in reseal_all().items():
            self.stdout.write(f"{name}: {count}")
