from django.core.management import call_command
from django.db import migrations

TABLE = "portal_shared"  # of settings.CACHES


def create(apps, schema_editor):
    call_command("createcachetable", TABLE, database=schema_editor.connection.alias)


def drop(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE {TABLE}")


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0014_queue_numbers'),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
