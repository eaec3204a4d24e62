"""The table of who searched over history."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0020_packs_in_the_database"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchRead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="time")),
                ("who", models.CharField(max_length=256, verbose_name="user")),
                (
                    "app_code",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="app"),
                ),
                (
                    "token",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="token"),
                ),
                ("user_verified", models.BooleanField(default=False, verbose_name="user verified")),
                ("channel", models.CharField(max_length=64, verbose_name="channel")),
                ("scopes", models.TextField(verbose_name="scopes")),
                ("since", models.DateField(verbose_name="from")),
                ("until", models.DateField(verbose_name="to")),
                (
                    "question",
                    models.BinaryField(max_length=32, verbose_name="digest of the question"),
                ),
                ("steps", models.BigIntegerField(verbose_name="steps searched")),
                ("read_steps", models.BigIntegerField(verbose_name="steps read")),
                ("found_steps", models.BigIntegerField(verbose_name="steps with hits")),
                ("size", models.BigIntegerField(verbose_name="bytes")),
                ("searched", models.BinaryField()),
            ],
            options={
                "verbose_name": "search of history",
                "verbose_name_plural": "searches of history",
                "indexes": [models.Index(fields=["at"], name="searchread_at")],
            },
        ),
    ]
