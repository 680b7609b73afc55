"""A shop of so many things at the sandbox, in a process of its own:
python -m tests.bench.big_shop PORT NAME=MANY …"""

import sys

from connectors.sandbox.kinds import KINDS
from connectors.sandbox.server import Sandbox

TOKEN = "token-of-the-shop"


def main(port: str, *shops: str) -> None:
    sandbox = Sandbox(KINDS, int(port))
    for each in shops:
        name, _equals, many = each.partition("=")
        shop = sandbox.open("store", name, {"token": TOKEN})
        for number in range(int(many)):
            thing = {"sku": f"S-{number:06}", "name": "Coisa", "price": 100, "quantity": 10}
            shop.control("put_product", thing)
    sandbox.start().work_until_closed()


if __name__ == "__main__":
    main(*sys.argv[1:])
