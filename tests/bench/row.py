"""One row, in a process and a database of its own: python -m tests.bench.row MODULE FILE"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import django


def main(module: str, file: str) -> None:
    django.setup()
    row: Any = importlib.import_module(module)  # only now: it imports models
    Path(file).write_text(json.dumps([figure.as_json() for figure in row.measure()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
