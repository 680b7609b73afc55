"""The databases that the crash test starts itself."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.postgres import Postgres


class OnSqlite:
    """A file. There is nothing in it that could be restarted."""

    clusters = 1
    can_fall = False

    def __init__(self, folder: Path) -> None:
        self.file, self.copy = folder / "soak.sqlite3", folder / "backup.sqlite3"
        self.url = f"sqlite:///{self.file}"

    def back_up(self) -> None:
        """While the portal works, as `.backup` of SQLite's shell does it."""
        with closing(sqlite3.connect(self.file)) as ours, closing(sqlite3.connect(self.copy)) as it:
            ours.backup(it)

    def restore(self) -> None:
        for name in ("-wal", "-shm"):
            self.file.with_name(self.file.name + name).unlink(missing_ok=True)
        self.copy.replace(self.file)

    def close(self) -> None:
        """It goes with its folder."""


class OnPostgres(Postgres):
    """As a server runs it, but for fsync: its processes die here, the machine does not."""

    clusters = 2
    can_fall = True

    def __init__(self, folder: Path) -> None:
        super().__init__(fsync="off")
        self.url, self.copy = self.url_of("postgres"), str(folder / "backup")

    def back_up(self) -> None:
        """While the portal works."""
        self.use("pg_dump", "--format=custom", f"--file={self.copy}", "postgres")

    def restore(self) -> None:
        self.use("dropdb", "--force", "postgres")
        self.use("createdb", "postgres")
        self.use("pg_restore", "--dbname=postgres", self.copy)


Database = OnPostgres | OnSqlite
KINDS: dict[str, type[Database]] = {"postgresql": OnPostgres, "sqlite": OnSqlite}
