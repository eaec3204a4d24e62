"""Two indexes go that others have replaced."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0014_jobs_of_a_status")]

    operations = [
        migrations.RemoveIndex(model_name="logread", name="logread_who"),
        migrations.RemoveIndex(model_name="logread", name="logread_app"),
    ]
