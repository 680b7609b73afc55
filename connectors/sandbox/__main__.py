"""python -m connectors.sandbox PORT [ADDRESS]"""

import sys

from connectors.sandbox.kinds import KINDS
from connectors.sandbox.server import Sandbox

if __name__ == "__main__":
    port, *address = sys.argv[1:]
    Sandbox(KINDS, int(port), *address).start().work_until_closed()
