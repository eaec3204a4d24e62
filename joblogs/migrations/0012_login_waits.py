from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0011_recorded_reads"),
    ]

    operations = [
        migrations.RemoveField(model_name="failedlogins", name="span"),
        migrations.AddField(
            model_name="failedlogins",
            name="free_at",
            field=models.BigIntegerField(db_default=0, db_index=True),
        ),
    ]
