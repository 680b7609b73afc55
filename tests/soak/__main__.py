"""python -m tests.soak [--minutes=10] [--seed=1] [--on=postgresql] [--on=sqlite]"""

import subprocess
import sys
import time
from argparse import ArgumentParser

from tests.soak.database import KINDS

parser = ArgumentParser(description=__doc__)
parser.add_argument("--minutes", type=float, default=10, help="of crashes, on each database")
parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
parser.add_argument("--on", action="append", choices=sorted(KINDS), help="both, if not said")
asked = parser.parse_args()

# One process for each: Django reads its settings once.
codes = [
    subprocess.call(  # noqa: S603  our own command
        [sys.executable, "-m", "tests.soak.play", kind, str(asked.minutes), str(asked.seed)]
    )
    for kind in asked.on or sorted(KINDS)
]
sys.exit(max(codes))
