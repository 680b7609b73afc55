import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """When a product was last changed goes into a narrow table of its own."""

    dependencies = [
        ('catalog', '0006_lighter_products'),
        ('connectors', '0013_event_ids'),
    ]

    operations = [
        migrations.CreateModel(
            name='Modification',
            fields=[
                ('product', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='modification', serialize=False, to='catalog.product')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='alterado em')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='connectors.activation', verbose_name='alterado por')),
                ('store', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='connectors.store')),
            ],
            options={
                'indexes': [models.Index(fields=['store', 'at'], name='modified_in_store')],
            },
        ),
        migrations.RunSQL(
            """
            INSERT INTO catalog_modification (product_id, store_id, at, by_id)
            SELECT id, store_id, modified_at, modified_by_id FROM catalog_product
            """,
            """
            UPDATE catalog_product SET
                modified_at = (SELECT at FROM catalog_modification WHERE product_id = id),
                modified_by_id = (SELECT by_id FROM catalog_modification WHERE product_id = id)
            """,
        ),
    ]
