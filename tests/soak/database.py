"""The databases that the crash test starts itself."""

from pathlib import Path

from tests.postgres import Postgres


class OnSqlite:
    """A file. There is nothing in it that could be restarted."""

    clusters = 1
    can_fall = False

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'soak.sqlite3'}"

    def close(self) -> None:
        """It goes with its folder."""


class OnPostgres(Postgres):
    """As a server runs it, but for fsync: its processes die here, the machine does not."""

    clusters = 2
    can_fall = True

    def __init__(self, folder: Path) -> None:
        super().__init__(fsync="off")
        self.url = self.url_of("postgres")


Database = OnPostgres | OnSqlite
KINDS: dict[str, type[Database]] = {"postgresql": OnPostgres, "sqlite": OnSqlite}
