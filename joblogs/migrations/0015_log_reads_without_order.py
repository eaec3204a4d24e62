"""Two indexes go that others have replaced."""

from django.db import migrations

from joblogs.database import RemoveIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0014_jobs_of_a_status")]

    operations = [
        RemoveIndexOnline(model_name="logread", name="logread_who"),
        RemoveIndexOnline(model_name="logread", name="logread_app"),
    ]
