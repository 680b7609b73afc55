"""How an order's status moves: a table."""

from connectors.records import OrderStatus as S

# A status may be followed by any of its own stage or of a later one. Within a stage both ways
# happen: an invoice is refused by the marketplace after it was registered, and then mended.
STAGES: tuple[frozenset[S], ...] = (
    frozenset({S.PENDING, S.PARTIAL_PAYMENT, S.UNDER_REVIEW}),
    frozenset({S.APPROVED, S.PAID, S.PARTIAL_CANCELED}),
    frozenset({S.PICKING}),
    frozenset({S.WAITING_INVOICE}),
    frozenset({S.INVOICED, S.PARTIAL_INVOICED, S.INVOICE_ERROR}),
    frozenset({S.SHIPPING_INFORMED, S.SHIPPING_ERROR}),
    frozenset({S.SHIPPED, S.PARTIAL_SHIPPED}),
    frozenset({S.DELIVERED, S.PARTIAL_DELIVERED}),
    frozenset({S.CANCELED, S.REFUNDED}),
)
STAGE = {status: number for number, stage in enumerate(STAGES) for status in stage}

INVOICED = STAGE[S.INVOICED]
# Neither delivered nor cancelled.
OPEN = frozenset(status for status, stage in STAGE.items() if stage < STAGE[S.DELIVERED])
# By what becomes of an order's units: kept for it; free again; gone, but nobody can say how many
# (they are kept until the rest is known). In every other status they are gone.
KEEPING = frozenset(status for status, stage in STAGE.items() if stage < INVOICED)
ENDED = frozenset({S.CANCELED, S.REFUNDED})
UNDECIDED = frozenset({S.PARTIAL_INVOICED, S.INVOICE_ERROR})


def may_become(status: S, following: S) -> bool:
    return STAGE[following] >= STAGE[status]
