"""The data of the first release, as it lay in its database: what its demo left behind."""

import json
from pathlib import Path
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

FIRST = Path(__file__).with_name("first_release.json")
MIGRATIONS = {"connectors": "0001_initial", "catalog": "0001_initial", "orders": "0001_initial"}


def rows() -> dict[str, list[dict[str, Any]]]:
    """By the model's label, parents before children."""
    told: dict[str, list[dict[str, Any]]] = json.loads(FIRST.read_text())
    return told


def put() -> None:
    """Into a database whose tables are that release's."""
    loader = MigrationExecutor(connection).loader
    models = loader.project_state(list(loader.applied_migrations)).apps
    with transaction.atomic():
        for label, listed in rows().items():
            model = models.get_model(label)
            fields = {field.attname: field for field in model._meta.concrete_fields}
            model._base_manager.all().delete()  # the tables begin with the connectors' rows
            model._base_manager.bulk_create(
                model(**{name: fields[name].to_python(value) for name, value in row.items()})
                for row in listed
            )
            with connection.cursor() as cursor:
                for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
                    cursor.execute(statement)
