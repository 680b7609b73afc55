"""The admin of what is switched on, and of what ran. It shows and asks; services decide."""

from connectors.admin import (
    activations,
    brakes,
    comparisons,
    connectors,
    doorbells,
    failures,
    flows,
    hooks,
    incidents,
    notices,
    records,
    stores,
)

__all__ = [
    "activations",
    "brakes",
    "comparisons",
    "connectors",
    "doorbells",
    "failures",
    "flows",
    "hooks",
    "incidents",
    "notices",
    "records",
    "stores",
]
