"""A PostgreSQL of one's own, for what must not share one. It goes with its folder."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

POSTGRES_HOME = Path("/usr/lib/postgresql")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """`settings` as on the server's command line: fsync="off"."""

    def __init__(self, **settings: str) -> None:
        # Its own folder, directly in the one for temporary files: it may run as somebody else.
        self.folder = Path(tempfile.mkdtemp(prefix="tomada-"))
        found = POSTGRES_HOME.glob("*/bin")
        self.bin = max(found, key=lambda path: int(path.parent.name.split(".")[0]))
        # PostgreSQL refuses to run as root.
        self.as_postgres = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.as_postgres:
            shutil.chown(self.folder, "postgres")
        self.data, self.port = self.folder / "db", free_port()
        self.settings = {"listen_addresses": "127.0.0.1", **settings}
        self._run("initdb", "-U", "tomada", "-A", "trust", "-E", "UTF8", "--no-locale")
        self.start()

    def url_of(self, database: str, address: str = "127.0.0.1") -> str:
        return f"postgres://tomada@{address}:{self.port}/{database}"

    def let_in(self, network: str) -> None:
        """Whoever calls from there, where it listens to them."""
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
        self._run("pg_ctl", "reload")

    def use(self, program: str, *options: str) -> None:
        """One of the programs that talk to the server."""
        server = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "tomada")
        subprocess.run([str(self.bin / program), *server, *options], check=True)  # noqa: S603

    def start(self) -> None:
        settings = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        options = f"-p {self.port} -k {self.folder} {settings}"
        self._run("pg_ctl", "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def fall(self) -> None:
        """Every connection breaks off, and what was not committed is gone."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def close(self) -> None:
        self.fall()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *options: str) -> None:
        command = [*self.as_postgres, str(self.bin / program), "-D", str(self.data), *options]
        subprocess.run(  # noqa: S603  our own command
            command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL
        )
