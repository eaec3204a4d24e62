"""Tokens by which a store knows that no copy of it has gone on in its object store; when an object
that may arrive late is deleted once more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0021_search_reads")]

    operations = [
        migrations.AddField(
            model_name="storeid",
            name="token",
            field=models.CharField(db_default="", default="", max_length=32),
        ),
        migrations.AddField(
            model_name="storeid",
            name="next_token",
            field=models.CharField(db_default="", default="", max_length=32),
        ),
        migrations.AddField(
            model_name="objecttodelete",
            name="again_at",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
