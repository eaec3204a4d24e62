"""An index for the jobs whose logs are due to go."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0009_changed_steps")]

    operations = [
        AddIndexOnline(
            model_name="jobinstance",
            index=models.Index(
                fields=["scope", "day"],
                name="jobinstance_unexpired",
                condition=models.Q(expired_at__isnull=True),
            ),
        ),
    ]
