from django.db import migrations


class Migration(migrations.Migration):
    """Not with the one before: undone, both would write rows and make an index of one table."""

    dependencies = [
        ('catalog', '0007_modifications'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='product',
            name='product_by_modified',
        ),
        migrations.RemoveField(
            model_name='product',
            name='modified_at',
        ),
        migrations.RemoveField(
            model_name='product',
            name='modified_by',
        ),
    ]
