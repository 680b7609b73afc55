"""The demo's clock: django-q2's scheduler looks every 30 seconds, and a demo's minute is one."""

import time

from django.conf import settings

from portal.schedules import RECURRING


class Clock:
    """Starts the recurring tasks of the same table, each at its pace."""

    def __init__(self) -> None:
        self.seconds = 0

    def tick(self) -> None:
        """One second passes."""
        time.sleep(1)
        self.seconds += 1
        for recurring in RECURRING:
            if self.seconds % (recurring.minutes * settings.SECONDS_PER_MINUTE) == 0:
                recurring.task()
