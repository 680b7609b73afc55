"""Who plays which platform.

In the demo a double of `PLAYED_BY` is opened with the credentials that the connector asks for and
with `reports`, the statuses that it may report, in order. Where it takes orders, it must know:

    control  put_product {sku, name, price, quantity, variations: [the same]}, set_stock {sku,
             quantity}; settings {notify, and the credentials}, where it rings
    report   {"stock": {SKU: units}, "orders": {the hub's id: {"id", its own, and "status", the
             hub's last one}}}
"""

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
