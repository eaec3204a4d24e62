"""Declared digests of logs with masks go: they let guess what is masked."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0008_failed_logins"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE joblogs_hostresult SET declared_sha256 = NULL "
            "WHERE declared_sha256 IS NOT NULL AND (masked > 0 OR redacted IS NOT NULL)",
            migrations.RunSQL.noop,
        ),
    ]
