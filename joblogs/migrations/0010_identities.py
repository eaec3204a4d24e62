"""Machines belong to a scope: identities, made from what host results say of their runs."""

import hashlib
from collections.abc import Iterable

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_ROWS = 2000
_RESULTS = """
    SELECT r.id, j.scope_id, r.bk_host_id, r.bk_cloud_id, r.host_name, r.ip, r.ipv6
    FROM joblogs_hostresult r
    JOIN joblogs_stepinstance s ON s.id = r.step_id
    JOIN joblogs_jobinstance j ON j.id = s.job_id
    WHERE r.id > %s ORDER BY r.id LIMIT %s
"""
_MAKE = """
    INSERT INTO joblogs_host
        (scope_id, identity, bk_host_id, bk_cloud_id, name, ip, ipv6, folded_name)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_POINT = """
    UPDATE joblogs_hostresult SET identity_id = (
        SELECT id FROM joblogs_host WHERE scope_id = %s AND identity = %s
    ) WHERE id = %s
"""


def point_to_identities(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the identity of each host result that is stored, and let the result point to it."""
    after = 0
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(_RESULTS, [after, _ROWS])
            page = cursor.fetchall()
            if not page:
                return
            after = page[-1][0]
            made, pointed = {}, []
            for key, scope, *said in page:
                identity, name = _identity(said), said[2]
                folded = None if name is None else name.casefold()
                made[scope, identity] = [scope, identity, *said, folded]
                pointed.append([scope, identity, key])
            cursor.executemany(_MAKE, list(made.values()))
            cursor.executemany(_POINT, pointed)


def _identity(said: Iterable[object]) -> bytes:
    parts = ("" if part is None else f"={part}" for part in said)
    return hashlib.sha256("\0".join(parts).encode()).digest()


class Migration(migrations.Migration):
    dependencies = [
        ("joblogs", "0009_forget_declared_digests"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="hostresult", name="hostresult_of_host"),
        # The column of the host's id stays as it is: only what the code calls it changes.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="hostresult", name="hostresult_step_host_attempt"
                ),
                migrations.RemoveField(model_name="hostresult", name="host"),
                migrations.AddField(
                    model_name="hostresult",
                    name="host_id",
                    field=models.BigIntegerField(db_column="bk_host_id", verbose_name="host id"),
                ),
                migrations.AddConstraint(
                    model_name="hostresult",
                    constraint=models.UniqueConstraint(
                        fields=("step", "host_id", "execute_count", "batch", "role"),
                        name="hostresult_step_host_attempt",
                    ),
                ),
            ]
        ),
        migrations.DeleteModel(name="Host"),
        migrations.CreateModel(
            name="Host",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.BinaryField(max_length=32)),
                ("bk_host_id", models.BigIntegerField(verbose_name="host id")),
                ("bk_cloud_id", models.BigIntegerField(default=0, verbose_name="cloud area")),
                (
                    "ip",
                    models.CharField(
                        blank=True, max_length=64, null=True, verbose_name="IPv4 address"
                    ),
                ),
                (
                    "ipv6",
                    models.CharField(
                        blank=True, max_length=64, null=True, verbose_name="IPv6 address"
                    ),
                ),
                (
                    "name",
                    models.CharField(blank=True, max_length=256, null=True, verbose_name="name"),
                ),
                ("folded_name", models.CharField(editable=False, max_length=768, null=True)),
                (
                    "scope",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hosts",
                        to="joblogs.scope",
                        verbose_name="scope",
                    ),
                ),
            ],
            options={
                "verbose_name": "host",
                "verbose_name_plural": "hosts",
                "indexes": [
                    models.Index(fields=["scope", "folded_name"], name="host_name_in_scope"),
                    models.Index(fields=["scope", "ip"], name="host_ip_in_scope"),
                    models.Index(fields=["scope", "ipv6"], name="host_ipv6_in_scope"),
                    models.Index(fields=["scope", "bk_host_id"], name="host_number_in_scope"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scope", "identity"), name="host_scope_and_identity"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="hostresult",
            name="identity",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="results",
                to="joblogs.host",
                verbose_name="host",
            ),
        ),
        migrations.RunPython(point_to_identities, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="hostresult",
            name="identity",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="results",
                to="joblogs.host",
                verbose_name="host",
            ),
        ),
        migrations.AddIndex(
            model_name="hostresult",
            index=models.Index(fields=["identity", "-day", "-id"], name="hostresult_of_identity"),
        ),
    ]
