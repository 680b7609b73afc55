from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connectors.resealing import reseal_all


class Command(BaseCommand):
    help = (
        "Seal everything anew with the first of CREDENTIAL_KEYS. First put the new key before the"
        " old one and restart; run this; then take the old key away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        lost = []
        for name, (count, unread) in reseal_all().items():
            self.stdout.write(f"{name}: {count}")
            if unread:
                named = ", ".join(map(str, unread))
                lost.append(f"{name}: {len(unread)} that no key of CREDENTIAL_KEYS opens: {named}")
        if lost:
            raise CommandError("\n".join(lost))
