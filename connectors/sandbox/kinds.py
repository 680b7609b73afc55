from connectors.sandbox.hub import Hub
from connectors.sandbox.layer import Layer
from connectors.sandbox.partner import Tools
from connectors.sandbox.rocky_erp import RockyErp
from connectors.sandbox.server import Platform
from connectors.sandbox.shop import Shop
from connectors.sandbox.store import Store
from connectors.sandbox.tiny import Tiny
from connectors.sandbox.tiny_v3 import TinyV3
from connectors.sandbox.tools import Automations

# Who plays a connector in managed mode; the others serve the store contract.
PLAYED_BY = {"olist": "tiny", "pluggto": "hub", "rockyerp": "rocky_erp", "linxlayer": "layer"}

KINDS: dict[str, type[Platform]] = {
    "store": Store,
    "tiny": Tiny,
    "tiny_v3": TinyV3,
    "hub": Hub,
    "shop": Shop,
    "tools": Tools,
    "automations": Automations,
    "rocky_erp": RockyErp,
    "layer": Layer,
}
