"""Changes of tables that millions of rows are in, for migrations."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import AddIndex


class AddIndexMeanwhile(AddIndexConcurrently):
    """An index that PostgreSQL makes while the portal goes on writing. It does so outside of a
    transaction: the migration says `atomic = False`, and does nothing else. SQLite, whose portals
    are small, makes it at once."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        self._how(schema_editor).database_forwards(self, app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        self._how(schema_editor).database_backwards(self, app_label, schema_editor, *states)

    def _how(self, schema_editor: Any) -> type[AddIndex]:
        is_postgres = schema_editor.connection.vendor == "postgresql"
        return AddIndexConcurrently if is_postgres else AddIndex
