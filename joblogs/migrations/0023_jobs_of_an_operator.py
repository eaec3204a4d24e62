"""An index for the newest jobs of an operator in a scope."""

from django.db import migrations, models

from joblogs.database import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("joblogs", "0022_tokens_of_the_store")]

    operations = [
        AddIndexOnline(
            model_name="jobinstance",
            index=models.Index(
                fields=["scope", "operator", "-create_time", "-id"],
                name="jobinstance_of_operator",
            ),
        ),
    ]
