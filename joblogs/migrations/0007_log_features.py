"""The table of what grouping keeps of logs, by day as log chunks are."""

from django.db import migrations, models

from joblogs.database import CreatePartitionedModel


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0006_log_reads_of_scopes")]

    operations = [
        CreatePartitionedModel(
            name="LogFeatures",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "host_result_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("host_result_id", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("version", models.SmallIntegerField()),
                ("data", models.BinaryField(max_length=2048)),
            ],
            options={
                "verbose_name": "features of a log",
                "verbose_name_plural": "features of logs",
            },
        ),
    ]
