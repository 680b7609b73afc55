"""The admin of what is switched on, and of what ran. It shows and asks; services decide."""

from connectors.admin import activations, connectors, notices, records, stores

__all__ = ["activations", "connectors", "notices", "records", "stores"]
