"""python -m connectors.sandbox PORT"""

import sys

from connectors.sandbox.kinds import KINDS
from connectors.sandbox.server import Sandbox

if __name__ == "__main__":
    Sandbox(KINDS, int(sys.argv[1])).start().work_until_closed()
