"""The admin of what is switched on, and of what ran. It shows and asks; services decide."""

from connectors.admin import activations, connectors, records, stores

__all__ = ["activations", "connectors", "records", "stores"]
