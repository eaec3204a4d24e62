"""An index for the jobs that are held."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0004_step_tasks")]

    operations = [
        AddIndexOnline(
            model_name="jobinstance",
            index=models.Index(
                fields=["-day", "-id"],
                name="jobinstance_held",
                condition=models.Q(held_at__isnull=False),
            ),
        ),
    ]
