"""An index for the newest log reads of a user."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0011_known_failures")]

    operations = [
        AddIndexOnline(
            model_name="logread",
            index=models.Index(fields=["who", "-at", "-id"], name="logread_of_user"),
        ),
    ]
