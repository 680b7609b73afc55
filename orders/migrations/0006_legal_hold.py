from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_personal_data")]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "ordering": ["-pk"],
                "permissions": [
                    ("hold_order", "Pode reter e liberar dados por obrigação legal"),
                ],
                "verbose_name": "pedido",
                "verbose_name_plural": "pedidos",
            },
        ),
    ]
