"""One part, in a process and a database of its own: python -m tests.scale.part PART"""

import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import django

LOGS = Path("build/scale")  # what the processes said, where something is missing


def main(name: str) -> bool:
    django.setup()
    part: Any = importlib.import_module(f"tests.scale.{name}")  # only now: it imports models
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        is_whole = bool(part.play(Path(folder)))
        if not is_whole:
            shutil.copytree(folder, LOGS / name, dirs_exist_ok=True)
        return is_whole


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
