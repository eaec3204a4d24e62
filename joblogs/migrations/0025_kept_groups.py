"""The table of the groups of steps as their pages showed them, by day as log chunks are."""

from django.db import migrations, models

from joblogs.database import CreatePartitionedModel


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0024_packed_logs_are_whole")]

    operations = [
        CreatePartitionedModel(
            name="KeptGroups",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "step_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("step_id", models.BigIntegerField()),
                ("facts", models.BinaryField(max_length=16)),
                ("data", models.BinaryField()),
            ],
            options={
                "verbose_name": "groups of a step",
                "verbose_name_plural": "groups of steps",
            },
        ),
    ]
