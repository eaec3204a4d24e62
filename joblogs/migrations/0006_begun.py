"""What a log's end may be the beginning of, remembered in its row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0005_masking"),
    ]

    operations = [
        migrations.AddField(
            model_name="filelog",
            name="begun",
            field=models.BinaryField(default=bytes, max_length=200),
        ),
        migrations.AddField(
            model_name="hostresult",
            name="begun",
            field=models.BinaryField(default=bytes, max_length=200),
        ),
    ]
