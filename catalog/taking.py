"""What we have of each platform's records already (catalog/models/taken.py).

A record that arrives again as it was taken is passed over without a look at its product. That
holds for a day at most, so that each record which is sent again and again is compared in full once
a day; and it holds no longer when somebody else changes the product.
"""

import marshal
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from math import inf
from time import monotonic
from typing import Any

from django.db.models import Exists
from django.utils import timezone

from catalog.models import Taken, TakenPage
from connectors.bulk import among, upsert_rows
from connectors.contract import Flow
from connectors.models import Activation, Store
from connectors.payload import Payload
from connectors.prepared import Prepared, Slot, many, slot_of_many

# A little less than the day from one full pass to the next, which may be quicker than the last.
KNOWN_FOR = timedelta(hours=20)
A_MOMENT = 1  # second
WITHOUT_REFERENCES = 2  # a version of marshal

IS_REMEMBERED = Prepared(
    lambda: (
        Taken.objects.filter(product__in=slot_of_many("products", "bigint"), digest__isnull=False)
        .exclude(activation=Slot("by"))
        .values_list("pk", flat=True)[:1]
    )
)


class Digester:
    """Names what arrived by 64 bits: in this flow, and with these settings, for they have a say in
    how it is read."""

    def __init__(self, activation: Activation, flow: str) -> None:
        self._own = f"{activation.pk} {flow} {activation.settings}".encode()

    def record(self, payload: Payload) -> int:
        return self._digest(payload.data)

    def page(self, payloads: Iterable[Payload]) -> int:
        return self._digest([payload.data for payload in payloads])

    def _digest(self, data: Any) -> int:
        # As Python stores it, in a third of the time in which it writes it, and without the later
        # versions' references, which depend on who else holds a text. Should a platform send the
        # keys in another order some day, its records are compared once more.
        mixed = blake2b(self._own + marshal.dumps(data, WITHOUT_REFERENCES), digest_size=8)
        return int.from_bytes(mixed.digest(), signed=True)


class WholePages:
    """Those of which everything is here as it arrived. Known for a second: somebody may change a
    product meanwhile, and a page that shows what it was before is news then."""

    def __init__(self, activation: Activation, flow: str) -> None:
        self._mine = {"activation": activation.pk, "flow": flow}
        self.forget()

    def forget(self) -> None:
        """What is here has changed."""
        self._known: set[int] = set()
        self._known_until = -inf

    def __contains__(self, digest_of_page: int) -> bool:
        if monotonic() > self._known_until:
            self._known_until = monotonic() + A_MOMENT
            untold = Taken.objects.filter(**self._mine, digest=None)
            pages = TakenPage.objects.filter(~Exists(untold), **self._mine, at__range=_known_time())
            self._known = set(pages.values_list("digest", flat=True))
        return digest_of_page in self._known


def _known_time() -> tuple[datetime, datetime]:
    """What was taken in what is the future now, before the clock was put back, is read anew."""
    now = timezone.now()
    return now - KNOWN_FOR, now


def already_here(digests: Sequence[int]) -> dict[int, str]:
    """Those whose records are here as they arrived, with their codes."""
    here = Taken.objects.filter(digest__in=among(digests), at__range=_known_time())
    return {digest: code for digest, code in here.values_list("digest", "record_id") if digest}


def remember(
    activation: Activation, flow: Flow, taken: Iterable[tuple[str, int, int | None]]
) -> None:
    """These records, each with its code, its product and its digest, are here as they arrived. In
    the transaction that holds the products' locks, so that nobody else's change is overlooked."""
    upsert_rows(
        Taken,
        ("record_id", "product_id", "digest"),
        sorted(taken),
        ("activation_id", "flow", "record_id"),
        activation_id=activation.pk,
        flow=str(flow),
        at=timezone.now(),
    )


def remember_pages(activation: Activation, flow: str, digests: Iterable[int]) -> None:
    """Every record of these pages was remembered."""
    upsert_rows(
        TakenPage,
        ["digest"],
        [(digest,) for digest in sorted(set(digests))],
        ("activation_id", "flow", "digest"),
        activation_id=activation.pk,
        flow=str(flow),
        at=timezone.now(),
    )


def forget(by: Activation | None, product_ids: Iterable[int | None]) -> None:
    """Somebody changed these products: what the others' platforms say of them next is compared,
    even if they said it before."""
    products = {pk for pk in product_ids if pk}
    if IS_REMEMBERED(products=many(products), by=by.pk if by else 0):
        theirs = Taken.objects.filter(product__in=among(products))
        theirs.exclude(activation=by).update(digest=None)


def forget_records(
    activation: Activation, record_ids: Collection[str], flow: str | None = None
) -> None:
    """These could not be taken as they arrived, or mean other products now."""
    if record_ids:
        theirs = Taken.objects.filter(activation=activation, record_id__in=record_ids)
        theirs.filter(**({"flow": flow} if flow else {})).update(digest=None)


def forget_pages_of(activation: Activation, flow: str) -> None:
    """Some records are about to be other than they were: an earlier page that shows them as they
    were would be news again."""
    TakenPage.objects.filter(activation=activation, flow=flow).delete()


def forget_pages(store: Store) -> None:
    """A product of the store is gone, and with it what was taken of it."""
    TakenPage.objects.filter(activation__store=store).delete()


def prune_pages() -> None:
    TakenPage.objects.filter(at__lt=timezone.now() - KNOWN_FOR).delete()
