"""A shop of so many things at the sandbox, in a process of its own:
python -m tests.bench.big_shop PORT NAME=MANY …"""

import sys

from connectors.sandbox.kinds import KINDS
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Changes, Json

TOKEN = "token-of-the-shop"


class Still(Changes):
    """Nothing changes any more. A page is found where it lies, as a database would find it: to look
    through all for each would hide how long its reader takes."""

    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self.ordered = [state for _number, state in changes.latest.values()]

    def since(self, cursor: str, limit: int) -> Json:
        passed = int(cursor or 0)
        page = self.ordered[passed : passed + limit]
        passed += len(page)
        return {"items": page, "cursor": str(passed), "more": passed < len(self.ordered)}


def main(port: str, *shops: str) -> None:
    sandbox = Sandbox(KINDS, int(port))
    for each in shops:
        name, _equals, many = each.partition("=")
        shop = sandbox.open("store", name, {"token": TOKEN})
        for number in range(int(many)):
            thing = {"sku": f"S-{number:06}", "name": "Coisa", "price": 100, "quantity": 10}
            shop.control("put_product", thing)
        shop.changes["stock"] = Still(shop.changes["stock"])
    sandbox.start().work_until_closed()


if __name__ == "__main__":
    main(*sys.argv[1:])
