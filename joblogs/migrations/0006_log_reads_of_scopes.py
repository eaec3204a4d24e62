"""An index for the newest log reads of some scopes."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0005_held_jobs")]

    operations = [
        AddIndexOnline(
            model_name="logread",
            index=models.Index(
                fields=["scope_type", "scope_id", "-at", "-id"], name="logread_of_scope"
            ),
        ),
    ]
