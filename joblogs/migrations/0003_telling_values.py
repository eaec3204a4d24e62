"""Hashes of hidden values: logs stored before this get theirs from maintain_logs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0002_upkeeprun"),
    ]

    operations = [
        migrations.AddField(
            model_name="hostresult",
            name="telling",
            field=models.BinaryField(max_length=256, null=True, verbose_name="telling values"),
        ),
    ]
