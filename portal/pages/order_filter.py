"""What a merchant asks of the list of orders, and its figures, which need no look at an order."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import OuterRef, Q, QuerySet
from django.utils.dateparse import parse_date

from connectors.ids import to_id
from connectors.payload import LOCAL
from connectors.records import OrderStatus
from orders.finding import FEW, asked_of_each, find
from orders.models import OrderLink, OrderQuerySet, Tally
from orders.needing import needing
from orders.statistics import SOLD, Figure, Period, by_field, sum_of, tallies_of

SOLD_TAB, NEEDING_TAB = "sold", "needing"
NO_CHANNEL = "-"
LONGEST = 200


@dataclass(frozen=True)
class OrderFilter:
    """What cannot be meant is left out: a strange address is no error."""

    status: str = ""
    question: str = ""
    first: date | None = None
    last: date | None = None
    channel: str = ""
    integration: int | None = None
    store: int | None = None

    @classmethod
    def asked(cls, asked: Mapping[str, str], stores: Collection[int]) -> "OrderFilter":
        status, store = asked.get("status", ""), to_id(asked.get("store", ""))
        return cls(
            status=status if status in (SOLD_TAB, NEEDING_TAB, *OrderStatus.values) else "",
            question=asked.get("q", "").replace("\0", "").strip()[:LONGEST],
            first=_day(asked.get("from", "")),
            last=_day(asked.get("to", "")),
            channel=asked.get("channel", "").replace("\0", "")[:LONGEST],
            integration=to_id(asked.get("integration", "")),
            store=store if store in stores else None,
        )

    def query(self, **changes: object) -> str:
        """As an address says it."""
        fields = {
            "status": self.status,
            "q": self.question,
            "from": self.first or "",
            "to": self.last or "",
            "channel": self.channel,
            "integration": self.integration or "",
            "store": self.store or "",
            **changes,
        }
        return urlencode({name: value for name, value in fields.items() if value})

    @property
    def asks(self) -> bool:
        return bool(self.query(status=""))

    @property
    def counts(self) -> bool:
        """The days' sums know nothing of what was searched for, nor of integrations."""
        return not self.question and self.integration is None

    def among(self, orders: OrderQuerySet, stores: Collection[int]) -> OrderQuerySet:
        if self.store:
            orders = orders.filter(store=self.store)
        if self.status == NEEDING_TAB:
            orders = needing(orders, stores)
        elif self.status:
            statuses = SOLD if self.status == SOLD_TAB else [self.status]
            orders = orders.filter(status__in=statuses)
        if self.first:
            orders = orders.filter(created_at__gte=_midnight(self.first))
        if self.last:
            orders = orders.filter(created_at__lt=_midnight(self.last + timedelta(days=1)))
        if self.channel:
            orders = orders.filter(channel="" if self.channel == NO_CHANNEL else self.channel)
        if self.integration:
            orders = orders.filter(_offered_to(self.integration, stores))
        return find(orders, self.question, stores) if self.question else orders

    def tallies(self, stores: Collection[int]) -> "QuerySet[Tally]":
        mine = [self.store] if self.store else stores
        tallies = tallies_of(mine, Period(self.first, self.last))
        if self.channel:
            tallies = tallies.filter(channel="" if self.channel == NO_CHANNEL else self.channel)
        return tallies

    def figures(self, stores: Collection[int]) -> dict[str, Figure]:
        """By status, and those of the tabs that hold several: "" for all, and what was sold."""
        figures = by_field(self.tallies(stores), "status") if self.counts else {}
        return {
            "": sum_of(figures.values()),
            SOLD_TAB: sum_of(figure for status, figure in figures.items() if status in SOLD),
            **figures,
        }


def _offered_to(activation_id: int, stores: Collection[int]) -> Q:
    """Where these are few, the database need not look for them among all orders."""
    mine = OrderLink.objects.filter(activation=activation_id, activation__store__in=stores)
    # In the order of an index, of which so many are read.
    few = list(mine.order_by("external_id").values_list("order_id", flat=True)[: FEW + 1])
    if len(few) <= FEW:
        return Q(pk__in=few)
    return asked_of_each(OrderLink.objects.filter(order=OuterRef("pk"), activation=activation_id))


def _day(text: str) -> date | None:
    """Any that a clock of ours can show."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and 2000 <= day.year < 2100 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL)
