"""The second thing that people show at login: the codes of an authenticator application (RFC 6238),
or, who lost it, a recovery code."""

import base64
import secrets
import time
from datetime import timedelta
from enum import Enum
from hmac import compare_digest

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from connectors.hashing import digest
from connectors.models import RecoveryCode, SecondFactor
from connectors.sealing import seal, unseal, unseal_known

ISSUER = "Tomada"
DIGITS, PERIOD = 6, 30  # what every authenticator application knows
STEPS_OFF = (0, -1, 1)  # clocks differ
RECOVERY_CODES = 10
MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    LOST = "lost"  # wrong, and no code of the application can be told: the key is gone


def is_on(user: User) -> bool:
    return SecondFactor.objects.filter(pk=user.pk).exclude(confirmed_at=None).exists()


@transaction.atomic
def offered(user: User) -> SecondFactor:
    """The one that is on, or one to be switched on: the same until a right code came."""
    sealed = seal({"key": base64.b32encode(secrets.token_bytes(20)).decode()})
    factor, _new = SecondFactor.objects.get_or_create(user=user, defaults={"sealed": sealed})
    if factor.confirmed_at is None and not unseal_known(factor.sealed):
        factor.sealed = sealed
        factor.save(update_fields=["sealed"])
    return factor


def key_of(factor: SecondFactor) -> str:
    """For typing it in where no camera is at hand."""
    return unseal(factor.sealed)["key"]


def address_of(factor: SecondFactor) -> str:
    """What the application reads from the picture."""
    totp = TOTP(base64.b32decode(key_of(factor)), DIGITS, SHA1(), PERIOD)  # noqa: S303
    return totp.get_provisioning_uri(factor.user.get_username(), ISSUER)


@transaction.atomic
def switch_on(user: User, code: str) -> list[str]:
    """The recovery codes, in the only moment in which they are known; none for a wrong code."""
    if is_on(user) or check(user, code) is not Verdict.RIGHT:
        return []
    SecondFactor.objects.filter(pk=user.pk).update(confirmed_at=timezone.now())
    codes = ["-".join(secrets.token_hex(2) for _part in range(4)) for _n in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(factor_id=user.pk, code_hash=digest(code)) for code in codes
    )
    return codes


@transaction.atomic
def switch_off(user: User, code: str) -> Verdict:
    verdict = check(user, code)
    if verdict is Verdict.RIGHT:
        SecondFactor.objects.filter(pk=user.pk).delete()
    return verdict


def forget(user: User) -> bool:
    """For who has neither the application nor a recovery code left; whether there was one."""
    forgotten, _of = SecondFactor.objects.filter(pk=user.pk).delete()
    return forgotten > 0


@transaction.atomic
def check(user: User, code: str) -> Verdict:
    """A code is good for one use. After a few wrong ones even a right one has to wait."""
    factor = SecondFactor.objects.select_for_update().filter(pk=user.pk).first()
    if factor is None:
        return Verdict.WRONG
    now = timezone.now()
    # Nobody is locked out for longer: then the clock was put back.
    if factor.locked_until and now < factor.locked_until < now + 2 * LOCKED_FOR:
        return Verdict.LOCKED
    step = _step_of(factor, code.replace(" ", ""))
    if step or _use_recovery_code(factor, code.strip().lower()):
        factor.last_step = step or factor.last_step
        factor.failures, factor.locked_until = 0, None
    else:
        factor.failures, factor.locked_until = factor.failures + 1, None
        if factor.failures >= MOST_FAILURES:
            factor.failures, factor.locked_until = 0, now + LOCKED_FOR
    factor.save(update_fields=["last_step", "failures", "locked_until"])
    if factor.locked_until:
        return Verdict.LOCKED
    if factor.failures == 0:
        return Verdict.RIGHT
    return Verdict.WRONG if unseal_known(factor.sealed) else Verdict.LOST


def _step_of(factor: SecondFactor, code: str) -> int | None:
    """The moment that this is the code of, if that was not used yet."""
    if not unseal_known(factor.sealed):
        return None
    hotp = HOTP(base64.b32decode(key_of(factor)), DIGITS, SHA1())  # noqa: S303
    now = int(time.time()) // PERIOD
    for step in (now + off for off in STEPS_OFF):
        right = compare_digest(hotp.generate(step), code.encode())
        if right and step > factor.last_step:
            return step
    return None


def _use_recovery_code(factor: SecondFactor, code: str) -> bool:
    unused = factor.recovery_codes.filter(code_hash=digest(code), used_at=None)
    return bool(unused.update(used_at=timezone.now()))
