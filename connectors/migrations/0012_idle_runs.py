from django.db import migrations, models

from connectors.schema import AddIndexMeanwhile


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('connectors', '0011_failed_attempts'),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name='run',
            index=models.Index(condition=models.Q(('changed', 0), ('outcome', 'done')), fields=['started_at'], name='run_idle'),
        ),
    ]
