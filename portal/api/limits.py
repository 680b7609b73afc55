"""How often one credential may call."""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal.api.authentication import Partner


class CredentialRate(BaseThrottle):
    """API_RATE calls in each minute by the clock, so that at its turn twice as many may come.

    The count lies in Django's cache. In local memory, the default, every process counts for
    itself, and N processes let up to N times as many through. CACHE_URL names a cache that they
    share; one that reads and writes in two steps, as the database's does, misses a call now and
    then.
    """

    left: float  # seconds of this minute

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Partner):
            return True  # what needs no token has no credential to count
        window = settings.SECONDS_PER_MINUTE
        minute, passed = divmod(time.time(), window)
        self.left = window - passed
        key = f"api-rate:{request.user.fingerprint}:{minute:.0f}"
        if cache.add(key, 1, timeout=2 * window):
            return True
        try:
            return cache.incr(key) <= settings.API_RATE
        except ValueError:  # it was dropped meanwhile: the cache is full
            return True

    def wait(self) -> float:
        return self.left
