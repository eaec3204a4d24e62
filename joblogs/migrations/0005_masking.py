"""What masking remembers of each log, and how many places it masked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0004_find_reads"),
    ]

    operations = [
        migrations.AddField(
            model_name="filelog",
            name="masked",
            field=models.IntegerField(default=0, verbose_name="places masked"),
        ),
        migrations.AddField(
            model_name="filelog",
            name="masking",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="filelog",
            name="unsettled",
            field=models.SmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="hostresult",
            name="masked",
            field=models.IntegerField(default=0, verbose_name="places masked"),
        ),
        migrations.AddField(
            model_name="hostresult",
            name="masking",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="hostresult",
            name="unsettled",
            field=models.SmallIntegerField(default=0),
        ),
    ]
