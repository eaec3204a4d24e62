"""Where in an object the bytes of a pack lie that were moved there."""

from django.db import migrations, models

from joblogs.database import refuse_while


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0018_notices")]

    operations = [
        migrations.AddField("logpack", "object_id", models.BigIntegerField(null=True)),
        migrations.AddField("logpack", "object_start", models.BigIntegerField(null=True)),
        migrations.AddField("logpack", "object_size", models.IntegerField(null=True)),
        migrations.AddField("logpack", "object_checksum", models.BigIntegerField(null=True)),
        migrations.RunPython(
            migrations.RunPython.noop,
            refuse_while(
                "SELECT 1 FROM joblogs_logpack WHERE object_id IS NOT NULL LIMIT 1",
                first="maintain_logs --unpack",
            ),
        ),
    ]
