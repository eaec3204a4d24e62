"""A program that knows no packs cannot add to a log that lies in one."""

from django.db import migrations, models

from joblogs.database import AddCheckOnline


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0023_jobs_of_an_operator")]

    operations = [
        migrations.AddField(
            model_name="hostresult",
            name="packed_size",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        AddCheckOnline(
            model_name="hostresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pack", None), ("packed_size", models.F("held_size")), _connector="OR"
                ),
                name="hostresult_packed_whole",
            ),
        ),
    ]
