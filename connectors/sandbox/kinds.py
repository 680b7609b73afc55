from connectors.sandbox.hub import Hub
from connectors.sandbox.partner import Shop, Tools
from connectors.sandbox.server import Platform
from connectors.sandbox.store import Store
from connectors.sandbox.tiny import Tiny

# Who plays a connector in managed mode; the others serve the store contract.
PLAYED_BY = {"olist": "tiny", "pluggto": "hub"}

KINDS: dict[str, type[Platform]] = {
    "store": Store,
    "tiny": Tiny,
    "hub": Hub,
    "shop": Shop,
    "tools": Tools,
}
