"""A clock that tests move: the portal's time passes only when they say so."""

from datetime import datetime, timedelta

import pytest
from django.db import models
from django.utils import timezone


class Clock:
    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-11-24T12:00:00+00:00")

    def __call__(self) -> datetime:
        return self.now

    def go(self, interval: timedelta) -> None:
        self.now += interval

    def rule(
        self, monkeypatch: pytest.MonkeyPatch, *stamped: tuple[type[models.Model], str]
    ) -> None:
        """From here on. The defaults of the fields named have the real clock in their hands."""
        monkeypatch.setattr(timezone, "now", self)
        for model, name in stamped:
            monkeypatch.setattr(model._meta.get_field(name), "_get_default", self)
