"""python -m tests.bench [--only=4]: the table of speeds, and an error where a ratio falls short."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from tests.bench.rows import ROWS
from tests.postgres import Postgres

RESULT = Path("build/bench.json")
EMPTY = "migrated"  # the database of which each row gets a copy
# Like a small server's. Nothing that would be lost in a power cut is gained here.
SETTINGS = {"shared_buffers": "1GB", "max_connections": "200", "random_page_cost": "1.1"}


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, action="append", choices=sorted(ROWS))
    asked = parser.parse_args().only or sorted(ROWS)
    began, postgres = time.monotonic(), Postgres(**SETTINGS)
    try:
        _run(["manage.py", "migrate", "-v0"], postgres.url_of(_create(postgres, EMPTY)))
        results = {number: _measure(postgres, number) for number in asked}
    finally:
        postgres.close()
    RESULT.parent.mkdir(exist_ok=True)
    rows = [
        {"row": number, "what": ROWS[number][0], "figures": figures}
        for number, figures in results.items()
    ]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    RESULT.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")
    _say(f"{machine}; {time.monotonic() - began:.0f} s; the same as JSON: {RESULT}")
    whole = all(figures and all(each["holds"] for each in figures) for figures in results.values())
    return 0 if whole else 1


def _measure(postgres: Postgres, number: int) -> list[dict[str, Any]]:
    """Its figures; none where it broke off, whose error was printed by itself."""
    what, module = ROWS[number]
    began = time.monotonic()
    database = _create(postgres, f"row_{number}", template=EMPTY)
    _say(f"{number:>2}  {what}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        try:
            _run(["-m", "tests.bench.row", module, str(file)], postgres.url_of(database))
        except subprocess.CalledProcessError:
            _say("    broke off")
            return []
        figures: list[dict[str, Any]] = json.loads(file.read_text())
    for figure in figures:
        _say(f"    {_line(figure)}")
    _say(f"    measured in {time.monotonic() - began:.0f} s")
    return figures


def _line(figure: dict[str, Any]) -> str:
    value = f"{figure['value']:,.2f}" if figure["value"] < 100 else f"{figure['value']:,.0f}"
    wanted = [
        f"{sign} {figure[name]:g}"
        for sign, name in (("≥", "at_least"), ("≤", "at_most"))
        if figure[name] is not None
    ]
    verdict = ("ok" if figure["holds"] else "FALLS SHORT") if wanted else ""
    line = f"{figure['what']:<66} {value:>10} {figure['unit']:<5} {' '.join(wanted):<8} {verdict}"
    return line.rstrip()


def _create(postgres: Postgres, name: str, template: str = "template0") -> str:
    postgres.use("createdb", "-T", template, name)
    return name


def _run(command: list[str], database: str) -> None:
    subprocess.run(  # noqa: S603  our own command
        [sys.executable, *command],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "DATABASE_URL": database,
            "LOG_LEVEL": "ERROR",
        },
        check=True,
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
