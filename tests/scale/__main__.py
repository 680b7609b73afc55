"""python -m tests.scale [losing] [adding]"""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser

from tests.postgres import Postgres
from tests.scale.hosts import HOSTS, NETWORK, OURS, NotAllowed, network

PARTS = ("losing", "adding")
EMPTY = "migrated"  # the database of which each part gets a copy
CALLED = (OURS, "127.0.0.1")  # by the balancer's callers, and by those of tests.bench.serving
SECONDS_PER_MINUTE = {"losing": "1"}  # there the clock runs as in the crash test


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", help="both, if not said")
    parts = parser.parse_args().part or PARTS
    try:
        with network():
            postgres = Postgres(listen_addresses=f"127.0.0.1,{OURS}")
            try:
                postgres.let_in(NETWORK)
                postgres.use("createdb", EMPTY)
                _run("manage.py", "migrate", "--verbosity=0", DATABASE_URL=postgres.url_of(EMPTY))
                return max(_play(part, postgres) for part in parts)
            finally:
                postgres.close()
    except NotAllowed as error:
        print(f"Hosts cannot be made here: {error}", file=sys.stderr)  # noqa: T201
        return 2


def _play(part: str, postgres: Postgres) -> int:
    postgres.use("createdb", "-T", EMPTY, part)
    with tempfile.TemporaryDirectory(prefix="scale-metrics-") as metrics:
        return _run(
            *("-m", "tests.scale.part", part),
            DATABASE_URL=postgres.url_of(part, OURS),
            ALLOWED_HOSTS=",".join([*CALLED, *(host.address for host in HOSTS.values())]),
            SECONDS_PER_MINUTE=SECONDS_PER_MINUTE.get(part, "60"),
            WORKERS="2",
            METRICS_DIR=metrics,
        )


def _run(*command: str, **environment: str) -> int:
    """A process for each: Django reads its settings once."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.soak.settings", "LOG_LEVEL": "WARNING"}
    return subprocess.call(  # noqa: S603  our own command
        [sys.executable, *command], env={**os.environ, **settings, **environment}
    )


if __name__ == "__main__":
    sys.exit(main())
