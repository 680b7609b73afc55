from django.db import migrations


def begin_again(apps, schema_editor):
    set_sequence(schema_editor, "CYCLE")


def end(apps, schema_editor):
    set_sequence(schema_editor, "NO CYCLE")


def set_sequence(schema_editor, option):
    """django-q2's queue has 32 bits for its rows' numbers, which a large portal uses up within
    months; then nothing could be queued any more. The rows of before are long gone."""
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence('django_q_ormq', 'id')")
            schema_editor.execute(f"ALTER SEQUENCE {cursor.fetchone()[0]} {option}")


class Migration(migrations.Migration):

    dependencies = [
        ('connectors', '0013_event_ids'),
        ('django_q', '0007_ormq'),
    ]

    operations = [
        migrations.RunPython(begin_again, end),
    ]
