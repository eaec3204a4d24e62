"""An index for the newest jobs of a status."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0013_log_reads_of_apps")]

    operations = [
        AddIndexOnline(
            model_name="jobinstance",
            index=models.Index(
                fields=["status", "-create_time", "-id"], name="jobinstance_of_status"
            ),
        ),
    ]
