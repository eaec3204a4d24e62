"""The table of packs, by day as log chunks are, and where a host result's text lies."""

from django.db import migrations, models

from joblogs.database import CreatePartitionedModel, refuse_while


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0016_signatures")]

    operations = [
        CreatePartitionedModel(
            name="LogPack",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "step_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("step_id", models.BigIntegerField()),
                ("number", models.IntegerField()),
                ("size", models.IntegerField()),
                ("newlines", models.IntegerField()),
                ("codec", models.SmallIntegerField()),
                ("data", models.BinaryField()),
            ],
            options={
                "verbose_name": "log pack",
                "verbose_name_plural": "log packs",
            },
        ),
        migrations.AddField(
            model_name="hostresult",
            name="pack",
            field=models.IntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="hostresult",
            name="pack_start",
            field=models.IntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="stepinstance",
            name="last_pack",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.RunPython(
            migrations.RunPython.noop,
            refuse_while("SELECT 1 FROM joblogs_logpack LIMIT 1", first="maintain_logs --unpack"),
        ),
    ]
