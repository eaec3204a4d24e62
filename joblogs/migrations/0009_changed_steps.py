"""The steps whose logs maintenance has to look at, and when it last looked at all recent ones."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0008_object_store")]

    operations = [
        migrations.CreateModel(
            name="ChangedStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step_id", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="maintenancerun",
            name="swept_at",
            field=models.DateTimeField(null=True),
        ),
    ]
