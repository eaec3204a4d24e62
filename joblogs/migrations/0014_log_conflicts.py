from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0013_inherited_addresses"),
    ]

    operations = [
        migrations.CreateModel(
            name="LogConflict",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("app_id", models.BigIntegerField()),
                ("is_file", models.BooleanField()),
                ("log_id", models.BigIntegerField()),
                ("times", models.JSONField(default=list)),
                ("latest", models.BigIntegerField(db_index=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("app_id", "is_file", "log_id"), name="logconflict_app_and_log"
                    )
                ],
            },
        ),
    ]
