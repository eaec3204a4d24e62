"""An index for the jobs of several scopes, newest first."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0001_release_1")]

    operations = [
        AddIndexOnline(
            model_name="jobinstance",
            index=models.Index(fields=["-create_time", "-id"], name="jobinstance_newest"),
        ),
    ]
