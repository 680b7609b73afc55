"""One crash test on one kind of database: python -m tests.soak.play KIND MINUTES SEED"""

import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import django

from tests.soak.database import KINDS

LOGS = Path("build/soak")  # what the processes said, where something is missing


def play(kind: str, minutes: float, seed: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        database = KINDS[kind](folder)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.soak.settings",
            "DATABASE_URL": database.url,
            "SECONDS_PER_MINUTE": "1",
            "LOG_LEVEL": "WARNING",
            "WORKERS": "2",
            "METRICS_DIR": str(folder / "metrics"),
        }
        try:
            # Only now: Django reads its settings once, and they hold the database's address.
            django.setup()
            story: Any = importlib.import_module("tests.soak.story")
            is_whole = bool(story.tell(database, folder, kind, minutes, seed))
            if not is_whole:
                shutil.copytree(folder, LOGS / kind, dirs_exist_ok=True)
            return is_whole
        finally:
            database.close()


if __name__ == "__main__":
    is_whole = play(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
    sys.exit(0 if is_whole else 1)
