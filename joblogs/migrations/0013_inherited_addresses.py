"""Host results remember which of their addresses no record of their own said."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0012_login_waits"),
    ]

    operations = [
        migrations.AddField(
            model_name="hostresult",
            name="inherited",
            field=models.SmallIntegerField(
                choices=[(0, "Nothing"), (1, "Addresses"), (2, "Cloud Too")],
                db_default=0,
                default=0,
                editable=False,
            ),
        ),
    ]
