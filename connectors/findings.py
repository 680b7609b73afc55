"""What a comparison found, counted in full and listed up to a bound."""

from collections import Counter

from django.db import transaction

from connectors.contract import Flow
from connectors.models import Comparison, Difference

# Of one kind in one flow. Nobody reads more, and the counts go on.
LISTED_AT_MOST = 1000
# Counted beside the kinds of difference.
THEIRS, OURS, SAME = "theirs", "ours", "same"


class Findings:
    """Of one flow, since the last `save`."""

    def __init__(self, comparison: Comparison, flow: Flow) -> None:
        self.comparison = comparison
        self.flow = flow
        self._counts: Counter[str] = Counter()
        self._differences: list[Difference] = []

    def count(self, name: str, number: int = 1) -> None:
        self._counts[name] += number

    def add(
        self, kind: Difference.Kind, record_id: str, *, ours: object = "", theirs: object = ""
    ) -> None:
        self.count(kind.value)
        if self._known().get(kind.value, 0) + self._counts[kind.value] <= LISTED_AT_MOST:
            self._differences.append(
                Difference(
                    comparison=self.comparison,
                    flow=self.flow,
                    kind=kind,
                    record_id=record_id[:200],
                    ours=str(ours)[:500],
                    theirs=str(theirs)[:500],
                )
            )

    @transaction.atomic
    def save(self, ability: str = "", cursor: str = "") -> None:
        """With the place that the comparison has come to."""
        comparison = self.comparison
        Difference.objects.bulk_create(self._differences, batch_size=500)
        counts = dict(Counter(self._known()) + self._counts)
        comparison.counts = {**comparison.counts, self.flow.value: counts}
        comparison.seen += self._counts[THEIRS]
        comparison.ability, comparison.cursor = ability, cursor
        comparison.save(update_fields=["counts", "seen", "ability", "cursor"])
        self._counts, self._differences = Counter(), []

    def _known(self) -> dict[str, int]:
        known: dict[str, int] = self.comparison.counts.get(self.flow.value, {})
        return known
