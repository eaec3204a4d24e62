"""The tables of signatures of logs, by day as log chunks are."""

from django.db import migrations, models

from joblogs.database import CreatePartitionedModel


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0015_log_reads_without_order"),
    ]

    operations = [
        CreatePartitionedModel(
            name="SignatureRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "page",
                        "block",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("page", models.IntegerField()),
                ("block", models.BigIntegerField()),
                ("bits", models.SmallIntegerField()),
                ("width", models.SmallIntegerField()),
                ("data", models.BinaryField(max_length=2048)),
            ],
            options={
                "verbose_name": "row of signatures",
                "verbose_name_plural": "rows of signatures",
            },
        ),
        CreatePartitionedModel(
            name="SignedPart",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "step_id",
                        "first_host",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("step_id", models.BigIntegerField()),
                ("first_host", models.BigIntegerField()),
                ("last_host", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("version", models.SmallIntegerField()),
                ("block", models.BigIntegerField(null=True)),
                ("slot", models.IntegerField(null=True)),
            ],
            options={
                "verbose_name": "signed part",
                "verbose_name_plural": "signed parts",
                "indexes": [models.Index(fields=["day", "block"], name="signedpart_of_block")],
            },
        ),
    ]
