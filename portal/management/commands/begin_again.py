from typing import Any

from django.core.management.base import BaseCommand

from catalog.resending import send_everything_again
from connectors.runs.dispatch import read_everything_again


class Command(BaseCommand):
    help = (
        "After a backup was put back: read everything again that platforms and channels have, and"
        " send channels everything again. What happened since the backup was made is only there."
        " Orders that are known are not doubled; partners must send again what they sent since."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        flows, sent = read_everything_again(), send_everything_again()
        self.stdout.write(f"fluxos relidos do início: {flows}; envios repetidos: {sent}")
