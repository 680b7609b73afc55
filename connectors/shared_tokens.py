"""One token for all runs of an activation, in whichever process: one asks, the others wait.

Nobody holds a lock in the database while the platform thinks. Who asks leaves a mark, which ends by
itself should he die.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property

from django.db.models import Q
from django.utils import timezone

from connectors.contract import Token, TokenStore
from connectors.models import Activation, Credential, SharedToken
from connectors.sealing import seal, unseal_known

# Longer than a client may take to ask.
ASKING = timedelta(seconds=60)
LOOK_EVERY = 0.1  # seconds


class SharedTokens(TokenStore):
    def __init__(self, activation: Activation) -> None:
        self.activation = activation

    @cached_property
    def credential_id(self) -> int:
        credential: Credential = self.activation.credentials.received().latest("pk")
        return credential.pk

    def get(self) -> Token | None:
        return _opened(SharedToken.objects.filter(pk=self.credential_id).first())

    def renew(self, worn: Token | None, ask: Callable[[Token | None], Token]) -> Token:
        SharedToken.objects.get_or_create(credential_id=self.credential_id)
        while True:
            row = SharedToken.objects.get(pk=self.credential_id)
            kept = _opened(row)
            if kept and (worn is None or kept.access != worn.access):
                return kept
            if self._may_ask(row):
                return self._ask(kept, ask)
            time.sleep(LOOK_EVERY)

    def _may_ask(self, seen: SharedToken) -> bool:
        """Only one may, and only while the token is still the one that he saw."""
        now = timezone.now()
        # Nobody asks for so long: the clock was put back.
        lost = Q(asking_until__lt=now) | Q(asking_until__gt=now + 2 * ASKING)
        free = Q(asking_until=None) | lost
        mine = SharedToken.objects.filter(free, pk=seen.pk, sealed=seen.sealed)
        return bool(mine.update(asking_until=now + ASKING))

    def _ask(self, kept: Token | None, ask: Callable[[Token | None], Token]) -> Token:
        mine = SharedToken.objects.filter(pk=self.credential_id)
        try:
            token = ask(kept)
        except BaseException:
            mine.update(asking_until=None)
            raise
        sealed = seal({"access": token.access, "refresh": token.refresh})
        mine.update(sealed=sealed, renew_at=token.renew_at, asking_until=None)
        return token


def _opened(row: SharedToken | None) -> Token | None:
    if row is None or row.renew_at is None:
        return None
    values = unseal_known(row.sealed)
    return Token(**values, renew_at=row.renew_at) if values else None
