"""An index for the newest log reads through an app."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0012_log_reads_of_users")]

    operations = [
        AddIndexOnline(
            model_name="logread",
            index=models.Index(fields=["app_code", "-at", "-id"], name="logread_of_app"),
        ),
    ]
