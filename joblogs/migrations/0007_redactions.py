"""A record of each time that secrets were masked in what was stored."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0006_begun"),
    ]

    operations = [
        migrations.CreateModel(
            name="Redaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="at")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("by", models.CharField(max_length=256, verbose_name="who")),
                ("patterns", models.TextField(verbose_name="patterns")),
                ("selection", models.TextField(verbose_name="selection")),
                ("looked", models.BigIntegerField(default=0, verbose_name="logs looked through")),
                ("logs", models.BigIntegerField(default=0, verbose_name="logs masked")),
                ("places", models.BigIntegerField(default=0, verbose_name="places masked")),
                ("found", models.JSONField(default=dict, verbose_name="places by pattern")),
            ],
            options={
                "verbose_name": "redaction",
                "verbose_name_plural": "redactions",
            },
        ),
    ]
