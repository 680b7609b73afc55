"""What failed is shown without personal data, and kept sealed as long as it is tried again."""

from django.db import migrations, models
from django.db.models import Q

from connectors.contract import SINKS
from connectors.redaction import people_in, without_people
from connectors.trouble.originals import covered, masked, opened

AT_ONCE = 200
COLUMNS = ["payload", "translated", "edited", "exchange", "reason", "sealed"]
OURS = [sink.__name__ for sink in SINKS]


def cover(apps, schema_editor):
    """Safe to repeat: what is masked already stays as it is."""
    Failure = apps.get_model("connectors", "Failure")
    for rows in batches(Failure.objects.filter(sealed="")):
        for row in rows:
            people = people_in(row.payload) | people_in(row.translated)
            columns = covered(row.payload, row.edited)
            if row.resolved_at is not None or row.retry_at is None or row.ability in OURS:
                columns["sealed"] = ""
            row.payload, row.edited, row.sealed = (
                columns[name] for name in ("payload", "edited", "sealed")
            )
            row.translated = masked(row.translated)
            row.exchange = without_people(row.exchange, people)
            row.reason = without_people(row.reason, people)
        Failure.objects.bulk_update(rows, COLUMNS)


def uncover(apps, schema_editor):
    """What is sealed is readable again; the rest was not kept."""
    Failure = apps.get_model("connectors", "Failure")
    for rows in batches(Failure.objects.exclude(sealed="")):
        for row in rows:
            row.payload, row.edited = opened(row.payload, row.edited, row.sealed)
            row.sealed = ""
        Failure.objects.bulk_update(rows, COLUMNS)


def batches(failures):
    """By primary key; each is written in one statement, and no lock is held longer."""
    after = 0
    while rows := list(failures.filter(pk__gt=after).order_by("pk")[:AT_ONCE]):
        after = rows[-1].pk
        yield rows


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("connectors", "0007_lists")]

    operations = [
        migrations.AddField(
            model_name="failure",
            name="sealed",
            field=models.TextField(blank=True, default="", editable=False),
        ),
        migrations.RunPython(cover, uncover),
        migrations.RemoveIndex(model_name="failure", name="failure_to_redact"),
        migrations.RemoveField(model_name="failure", name="redacted"),
        migrations.AddConstraint(
            model_name="failure",
            constraint=models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(sealed=""),
                name="failure_resolved_keeps_no_original",
            ),
        ),
    ]
