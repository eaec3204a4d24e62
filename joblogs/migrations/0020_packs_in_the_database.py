"""An index for the packs that were not moved to objects."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0019_packs_in_objects")]

    operations = [
        AddIndexOnline(
            model_name="logpack",
            index=models.Index(
                fields=["day", "step_id"],
                name="logpack_in_database",
                condition=models.Q(object_id__isnull=True),
            ),
        ),
    ]
