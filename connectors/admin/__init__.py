"""The admin of what is switched on, and of what ran. It shows and asks; services decide."""

from connectors.admin import (
    activations,
    acts,
    asks,
    brakes,
    comparisons,
    connectors,
    doorbells,
    failures,
    flows,
    hooks,
    incidents,
    notices,
    receipts,
    repairs,
    runs,
    stores,
)

__all__ = [
    "activations",
    "acts",
    "asks",
    "brakes",
    "comparisons",
    "connectors",
    "doorbells",
    "failures",
    "flows",
    "hooks",
    "incidents",
    "notices",
    "receipts",
    "repairs",
    "runs",
    "stores",
]
