"""The tables of objects in an object store, and after how many days a scope's logs go there."""

import django.core.validators
from django.db import migrations, models

KEY = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0007_log_features")]

    operations = [
        migrations.CreateModel(
            name="StoreId",
            fields=[("id", KEY.clone()), ("value", models.CharField(max_length=32))],
        ),
        migrations.AddField(
            model_name="scope",
            name="object_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="In days; 0 keeps logs in the database. Leave empty to use the setting.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(365000)],
                verbose_name="days until object storage",
            ),
        ),
        migrations.CreateModel(
            name="ObjectToDelete",
            fields=[
                ("id", KEY.clone()),
                ("key", models.CharField(max_length=160, unique=True)),
                ("size", models.BigIntegerField()),
                ("due_at", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["due_at"], name="objecttodelete_due")]},
        ),
        migrations.CreateModel(
            name="StoredObject",
            fields=[
                ("id", KEY.clone()),
                ("key", models.CharField(max_length=160, unique=True)),
                ("day", models.DateField()),
                ("scope_id", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("held_size", models.BigIntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                (
                    "state",
                    models.SmallIntegerField(
                        choices=[(0, "to be written"), (1, "written")], default=0
                    ),
                ),
                ("at_once", models.BooleanField(default=False)),
                ("created_at", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["day", "state"], name="storedobject_day")]},
        ),
    ]
