"""The tables of release 1. Later changes get migrations of their own: this one stays as it is."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from joblogs.database import CreatePartitionedModel, refuse_store_before_1, set_fillfactor


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunPython(refuse_store_before_1, migrations.RunPython.noop),
        migrations.CreateModel(
            name="App",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("app_code", models.CharField(max_length=64, unique=True, verbose_name="app code")),
                (
                    "name",
                    models.CharField(blank=True, default="", max_length=256, verbose_name="name"),
                ),
                ("secret_sha256", models.BinaryField(max_length=32)),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("rate_minute", models.BigIntegerField(default=0, editable=False)),
                ("rate_used", models.IntegerField(default=0, editable=False)),
            ],
            options={
                "verbose_name": "app",
                "verbose_name_plural": "apps",
            },
        ),
        migrations.CreateModel(
            name="FailedLogins",
            fields=[
                ("key", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("failures", models.IntegerField(default=0)),
                ("free_at", models.BigIntegerField(db_default=0, db_index=True)),
            ],
        ),
        # On PostgreSQL partitioned by day from the start: no later migration has to move logs.
        CreatePartitionedModel(
            name="LogChunk",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "host_result_id",
                        "offset",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("host_result_id", models.BigIntegerField()),
                ("offset", models.BigIntegerField()),
                ("size", models.IntegerField()),
                ("newlines", models.IntegerField()),
                ("codec", models.SmallIntegerField()),
                ("data", models.BinaryField()),
            ],
            options={
                "verbose_name": "log chunk",
                "verbose_name_plural": "log chunks",
            },
        ),
        migrations.CreateModel(
            name="MaintenanceRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("seconds", models.FloatField(default=0)),
                ("did", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Redaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="time")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("by", models.CharField(max_length=256, verbose_name="user")),
                ("patterns", models.TextField(verbose_name="patterns")),
                ("selection", models.TextField(verbose_name="selection")),
                ("looked", models.BigIntegerField(default=0, verbose_name="logs checked")),
                ("logs", models.BigIntegerField(default=0, verbose_name="logs masked")),
                ("places", models.BigIntegerField(default=0, verbose_name="places masked")),
                ("found", models.JSONField(default=dict, verbose_name="places by pattern")),
            ],
            options={
                "verbose_name": "redaction",
                "verbose_name_plural": "redactions",
            },
        ),
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="time")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("by", models.CharField(max_length=256, verbose_name="user")),
                ("selection", models.TextField(verbose_name="selection")),
                ("jobs", models.BigIntegerField(default=0, verbose_name="jobs removed")),
                ("results", models.BigIntegerField(default=0, verbose_name="host results removed")),
                ("size", models.BigIntegerField(default=0, verbose_name="bytes of text removed")),
                ("held", models.BigIntegerField(default=0, verbose_name="held jobs kept")),
            ],
            options={
                "verbose_name": "removal",
                "verbose_name_plural": "removals",
            },
        ),
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
        migrations.CreateModel(
            name="LogRead",
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
                    "user_verified",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="user verified"
                    ),
                ),
                ("channel", models.CharField(max_length=64, verbose_name="channel")),
                ("scope_type", models.CharField(max_length=16, verbose_name="scope type")),
                ("scope_id", models.CharField(max_length=64, verbose_name="scope id")),
                ("job_instance_id", models.BigIntegerField(verbose_name="job instance id")),
                (
                    "step_instance_id",
                    models.BigIntegerField(null=True, verbose_name="step instance id"),
                ),
                ("host_count", models.IntegerField(verbose_name="hosts")),
                ("size", models.BigIntegerField(verbose_name="bytes")),
                ("answers", models.IntegerField(db_default=1, default=1, verbose_name="responses")),
                ("poll_key", models.BinaryField(max_length=32, null=True)),
            ],
            options={
                "verbose_name": "log read",
                "verbose_name_plural": "log reads",
                "indexes": [
                    models.Index(fields=["job_instance_id"], name="logread_job"),
                    models.Index(fields=["at"], name="logread_at"),
                    models.Index(fields=["who"], name="logread_who"),
                    models.Index(fields=["app_code"], name="logread_app"),
                    models.Index(fields=["step_instance_id"], name="logread_step"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("poll_key__isnull", False)),
                        fields=("poll_key",),
                        name="logread_one_row_of_polls",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StoreKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="Scope",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scope_type",
                    models.CharField(
                        choices=[
                            ("biz", "business"),
                            ("biz_set", "business set"),
                            ("tenant_set", "tenant set"),
                        ],
                        max_length=16,
                        verbose_name="scope type",
                    ),
                ),
                ("scope_id", models.CharField(max_length=64, verbose_name="scope id")),
                (
                    "name",
                    models.CharField(blank=True, default="", max_length=512, verbose_name="name"),
                ),
                ("named_at", models.BigIntegerField(default=0, editable=False)),
                (
                    "retention_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="In days. Leave empty to use the setting.",
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(365000)],
                        verbose_name="log retention",
                    ),
                ),
                (
                    "history_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="In days. Leave empty to use the setting.",
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(365000)],
                        verbose_name="history retention",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Staff groups that can browse it.",
                        related_name="scopes",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
            ],
            options={
                "verbose_name": "scope",
                "verbose_name_plural": "scopes",
            },
        ),
        migrations.CreateModel(
            name="JobInstance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=512, verbose_name="name")),
                (
                    "status",
                    models.IntegerField(
                        choices=[
                            (1, "waiting"),
                            (2, "running"),
                            (3, "succeeded"),
                            (4, "failed"),
                            (5, "skipped"),
                            (6, "error ignored"),
                            (7, "waiting for confirmation"),
                            (8, "stopped manually"),
                            (9, "abnormal"),
                            (10, "terminating"),
                            (11, "terminated"),
                            (13, "stopped at confirmation"),
                            (14, "abandoned"),
                            (15, "waiting for the next batch"),
                        ],
                        default=2,
                        verbose_name="status",
                    ),
                ),
                ("execute_count", models.IntegerField(default=0, verbose_name="execute count")),
                (
                    "update_time",
                    models.BigIntegerField(blank=True, null=True, verbose_name="updated"),
                ),
                ("create_time", models.BigIntegerField(verbose_name="created")),
                (
                    "start_time",
                    models.BigIntegerField(blank=True, null=True, verbose_name="started"),
                ),
                ("end_time", models.BigIntegerField(blank=True, null=True, verbose_name="ended")),
                (
                    "total_time",
                    models.BigIntegerField(blank=True, null=True, verbose_name="duration"),
                ),
                ("day", models.DateField(editable=False, verbose_name="day")),
                ("job_instance_id", models.BigIntegerField(verbose_name="job instance id")),
                (
                    "operator",
                    models.CharField(
                        blank=True, default="", max_length=256, verbose_name="operator"
                    ),
                ),
                (
                    "source",
                    models.CharField(blank=True, default="", max_length=256, verbose_name="source"),
                ),
                (
                    "launch_mode",
                    models.IntegerField(
                        choices=[(1, "web page"), (2, "API"), (3, "schedule")],
                        default=2,
                        verbose_name="launch mode",
                    ),
                ),
                (
                    "task_type",
                    models.IntegerField(
                        choices=[(0, "job plan"), (1, "script"), (2, "file transfer")],
                        default=1,
                        verbose_name="task type",
                    ),
                ),
                ("held_at", models.DateTimeField(blank=True, null=True, verbose_name="held since")),
                (
                    "held_by",
                    models.CharField(
                        blank=True, default="", max_length=256, verbose_name="held by"
                    ),
                ),
                (
                    "expired_at",
                    models.BigIntegerField(blank=True, null=True, verbose_name="logs expired"),
                ),
                (
                    "expired_policy",
                    models.CharField(blank=True, default="", max_length=256, verbose_name="policy"),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="jobs",
                        to="joblogs.scope",
                        verbose_name="scope",
                    ),
                ),
            ],
            options={
                "verbose_name": "job instance",
                "verbose_name_plural": "job instances",
            },
        ),
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
            },
        ),
        migrations.CreateModel(
            name="AppGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("read", models.BooleanField(default=True, verbose_name="read")),
                ("write", models.BooleanField(default=False, verbose_name="write")),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="joblogs.app",
                        verbose_name="app",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        blank=True,
                        help_text="Leave empty for all scopes, including future ones.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="joblogs.scope",
                        verbose_name="scope",
                    ),
                ),
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
            },
        ),
        migrations.CreateModel(
            name="StepInstance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=512, verbose_name="name")),
                (
                    "status",
                    models.IntegerField(
                        choices=[
                            (1, "waiting"),
                            (2, "running"),
                            (3, "succeeded"),
                            (4, "failed"),
                            (5, "skipped"),
                            (6, "error ignored"),
                            (7, "waiting for confirmation"),
                            (8, "stopped manually"),
                            (9, "abnormal"),
                            (10, "terminating"),
                            (11, "terminated"),
                            (13, "stopped at confirmation"),
                            (14, "abandoned"),
                            (15, "waiting for the next batch"),
                        ],
                        default=2,
                        verbose_name="status",
                    ),
                ),
                ("execute_count", models.IntegerField(default=0, verbose_name="execute count")),
                (
                    "update_time",
                    models.BigIntegerField(blank=True, null=True, verbose_name="updated"),
                ),
                ("create_time", models.BigIntegerField(verbose_name="created")),
                (
                    "start_time",
                    models.BigIntegerField(blank=True, null=True, verbose_name="started"),
                ),
                ("end_time", models.BigIntegerField(blank=True, null=True, verbose_name="ended")),
                (
                    "total_time",
                    models.BigIntegerField(blank=True, null=True, verbose_name="duration"),
                ),
                ("day", models.DateField(editable=False, verbose_name="day")),
                ("step_instance_id", models.BigIntegerField(verbose_name="step instance id")),
                (
                    "step_type",
                    models.IntegerField(
                        choices=[(1, "script"), (2, "file transfer"), (3, "approval"), (4, "SQL")],
                        verbose_name="step type",
                    ),
                ),
                ("position", models.IntegerField(blank=True, null=True, verbose_name="position")),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="steps",
                        to="joblogs.jobinstance",
                        verbose_name="job",
                    ),
                ),
            ],
            options={
                "verbose_name": "step instance",
                "verbose_name_plural": "step instances",
            },
        ),
        migrations.CreateModel(
            name="HostResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("received_size", models.BigIntegerField(default=0, verbose_name="received size")),
                ("held_size", models.BigIntegerField(default=0, verbose_name="stored size")),
                ("truncated", models.BooleanField(default=False, verbose_name="truncated")),
                ("redacted", models.JSONField(null=True, verbose_name="masked ranges")),
                ("masked", models.IntegerField(default=0, verbose_name="places masked")),
                ("mask_pending", models.SmallIntegerField(default=0)),
                ("mask_rule", models.CharField(default="", max_length=64)),
                ("mask_prefix", models.BinaryField(default=bytes, max_length=200)),
                ("host_id", models.BigIntegerField(db_column="bk_host_id", verbose_name="host id")),
                ("execute_count", models.IntegerField(default=0, verbose_name="execute count")),
                ("batch", models.IntegerField(default=0, verbose_name="batch")),
                (
                    "role",
                    models.SmallIntegerField(
                        choices=[(0, "target"), (1, "source")], default=0, verbose_name="role"
                    ),
                ),
                ("bk_cloud_id", models.BigIntegerField(default=0, verbose_name="cloud area")),
                ("ip", models.CharField(max_length=64, null=True, verbose_name="IPv4 address")),
                ("ipv6", models.CharField(max_length=64, null=True, verbose_name="IPv6 address")),
                (
                    "host_name",
                    models.CharField(max_length=256, null=True, verbose_name="host name"),
                ),
                (
                    "inherited",
                    models.SmallIntegerField(
                        choices=[(0, "Nothing"), (1, "Addresses"), (2, "Cloud Too")],
                        db_default=0,
                        default=0,
                        editable=False,
                    ),
                ),
                (
                    "status",
                    models.IntegerField(
                        choices=[
                            (0, "unknown error"),
                            (1, "agent abnormal"),
                            (2, "invalid host"),
                            (3, "succeeded last time"),
                            (5, "waiting"),
                            (7, "running"),
                            (9, "succeeded"),
                            (11, "failed"),
                            (12, "could not be dispatched"),
                            (13, "timed out"),
                            (15, "error in the log"),
                            (16, "script log timed out"),
                            (17, "file log timed out"),
                            (18, "agent not installed"),
                            (101, "script failed"),
                            (102, "script timed out"),
                            (103, "script terminated"),
                            (104, "exit code not zero"),
                            (202, "file transfer failed"),
                            (203, "source file missing"),
                            (301, "unclassified file failure"),
                            (303, "file transfer timed out"),
                            (310, "agent abnormal"),
                            (311, "user does not exist"),
                            (312, "user's password incorrect"),
                            (320, "file could not be fetched"),
                            (321, "file too large"),
                            (329, "file transfer error"),
                            (399, "execution error"),
                            (403, "force terminated"),
                            (404, "force termination failed"),
                            (500, "unknown"),
                        ],
                        default=7,
                        verbose_name="status",
                    ),
                ),
                ("tag", models.CharField(max_length=256, null=True, verbose_name="tag")),
                ("exit_code", models.IntegerField(null=True, verbose_name="exit code")),
                ("error_code", models.IntegerField(null=True, verbose_name="error code")),
                ("start_time", models.BigIntegerField(null=True, verbose_name="started")),
                ("end_time", models.BigIntegerField(null=True, verbose_name="ended")),
                ("total_time", models.BigIntegerField(null=True, verbose_name="duration")),
                ("update_time", models.BigIntegerField(null=True, verbose_name="updated")),
                (
                    "actual_execute_count",
                    models.IntegerField(null=True, verbose_name="actual execute count"),
                ),
                ("declared_size", models.BigIntegerField(null=True, verbose_name="declared size")),
                (
                    "declared_sha256",
                    models.BinaryField(max_length=32, null=True, verbose_name="declared digest"),
                ),
                ("lines", models.BigIntegerField(default=0, verbose_name="stored newlines")),
                ("fingerprint_size", models.BigIntegerField(null=True)),
                ("digest", models.BinaryField(max_length=32, null=True, verbose_name="digest")),
                ("shape", models.BinaryField(max_length=32, null=True, verbose_name="fingerprint")),
                ("shape_version", models.SmallIntegerField(null=True)),
                (
                    "value_hashes",
                    models.BinaryField(max_length=256, null=True, verbose_name="value hashes"),
                ),
                ("day", models.DateField(editable=False, verbose_name="day")),
                (
                    "identity",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="results",
                        to="joblogs.host",
                        verbose_name="host",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="host_results",
                        to="joblogs.stepinstance",
                        verbose_name="step",
                    ),
                ),
            ],
            options={
                "verbose_name": "host result",
                "verbose_name_plural": "host results",
            },
        ),
        migrations.CreateModel(
            name="FileLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("received_size", models.BigIntegerField(default=0, verbose_name="received size")),
                ("held_size", models.BigIntegerField(default=0, verbose_name="stored size")),
                ("truncated", models.BooleanField(default=False, verbose_name="truncated")),
                ("redacted", models.JSONField(null=True, verbose_name="masked ranges")),
                ("masked", models.IntegerField(default=0, verbose_name="places masked")),
                ("mask_pending", models.SmallIntegerField(default=0)),
                ("mask_rule", models.CharField(default="", max_length=64)),
                ("mask_prefix", models.BinaryField(default=bytes, max_length=200)),
                ("execute_count", models.IntegerField(default=0, verbose_name="execute count")),
                ("batch", models.IntegerField(default=0, verbose_name="batch")),
                (
                    "mode",
                    models.SmallIntegerField(
                        choices=[(0, "upload"), (1, "download")], verbose_name="mode"
                    ),
                ),
                ("task_key", models.TextField(verbose_name="task key")),
                ("task_hash", models.BinaryField(max_length=32)),
                ("src_host_id", models.BigIntegerField(null=True, verbose_name="source host")),
                ("src_cloud_id", models.BigIntegerField(null=True)),
                ("src_ip", models.CharField(max_length=64, null=True)),
                ("src_ipv6", models.CharField(max_length=64, null=True)),
                ("src_path", models.TextField(verbose_name="source path")),
                ("dest_host_id", models.BigIntegerField(null=True, verbose_name="target host")),
                ("dest_cloud_id", models.BigIntegerField(null=True)),
                ("dest_ip", models.CharField(max_length=64, null=True)),
                ("dest_ipv6", models.CharField(max_length=64, null=True)),
                ("dest_path", models.TextField(null=True, verbose_name="target path")),
                (
                    "status",
                    models.SmallIntegerField(
                        choices=[
                            (0, "fetching from source"),
                            (1, "waiting"),
                            (2, "uploading"),
                            (3, "downloading"),
                            (4, "done"),
                            (5, "failed"),
                        ],
                        default=1,
                        verbose_name="status",
                    ),
                ),
                ("size", models.CharField(max_length=256, null=True, verbose_name="size")),
                ("speed", models.CharField(max_length=256, null=True, verbose_name="speed")),
                ("process", models.CharField(max_length=256, null=True, verbose_name="progress")),
                ("update_time", models.BigIntegerField(null=True, verbose_name="updated")),
                ("content", models.BinaryField(default=bytes)),
                ("day", models.DateField(editable=False, verbose_name="day")),
                (
                    "host_result",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="file_logs",
                        to="joblogs.hostresult",
                        verbose_name="host result",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="file_logs",
                        to="joblogs.stepinstance",
                        verbose_name="step",
                    ),
                ),
            ],
            options={
                "verbose_name": "file log",
                "verbose_name_plural": "file logs",
            },
        ),
        migrations.AddConstraint(
            model_name="scope",
            constraint=models.UniqueConstraint(
                fields=("scope_type", "scope_id"), name="scope_type_and_id"
            ),
        ),
        migrations.AddIndex(
            model_name="jobinstance",
            index=models.Index(
                fields=["scope", "-create_time", "-id"], name="jobinstance_of_scope"
            ),
        ),
        migrations.AddIndex(
            model_name="jobinstance",
            index=models.Index(fields=["job_instance_id"], name="jobinstance_number"),
        ),
        migrations.AddIndex(
            model_name="jobinstance",
            index=models.Index(fields=["day", "id"], name="jobinstance_day"),
        ),
        migrations.AddConstraint(
            model_name="jobinstance",
            constraint=models.UniqueConstraint(
                fields=("scope", "job_instance_id"), name="jobinstance_scope_and_number"
            ),
        ),
        migrations.AddIndex(
            model_name="host",
            index=models.Index(fields=["scope", "folded_name"], name="host_name_in_scope"),
        ),
        migrations.AddIndex(
            model_name="host",
            index=models.Index(fields=["scope", "ip"], name="host_ip_in_scope"),
        ),
        migrations.AddIndex(
            model_name="host",
            index=models.Index(fields=["scope", "ipv6"], name="host_ipv6_in_scope"),
        ),
        migrations.AddIndex(
            model_name="host",
            index=models.Index(fields=["scope", "bk_host_id"], name="host_number_in_scope"),
        ),
        migrations.AddConstraint(
            model_name="host",
            constraint=models.UniqueConstraint(
                fields=("scope", "identity"), name="host_scope_and_identity"
            ),
        ),
        migrations.AddConstraint(
            model_name="appgrant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("scope__isnull", False)),
                fields=("app", "scope"),
                name="appgrant_app_and_scope",
            ),
        ),
        migrations.AddConstraint(
            model_name="appgrant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("scope__isnull", True)),
                fields=("app",),
                name="appgrant_all_scopes",
            ),
        ),
        migrations.AddIndex(
            model_name="stepinstance",
            index=models.Index(fields=["step_instance_id"], name="stepinstance_number"),
        ),
        migrations.AddConstraint(
            model_name="stepinstance",
            constraint=models.UniqueConstraint(
                fields=("job", "step_instance_id"), name="stepinstance_job_and_number"
            ),
        ),
        migrations.AddIndex(
            model_name="hostresult",
            index=models.Index(fields=["identity", "-day", "-id"], name="hostresult_of_identity"),
        ),
        migrations.AddConstraint(
            model_name="hostresult",
            constraint=models.UniqueConstraint(
                fields=("step", "host_id", "execute_count", "batch", "role"),
                name="hostresult_step_host_attempt",
            ),
        ),
        migrations.AddIndex(
            model_name="filelog",
            index=models.Index(fields=["host_result"], name="filelog_of_host_result"),
        ),
        migrations.AddConstraint(
            model_name="filelog",
            constraint=models.UniqueConstraint(
                fields=("step", "execute_count", "batch", "task_hash"), name="filelog_task"
            ),
        ),
        # Sizes and states of host results change all the time, and no index is on them.
        migrations.RunPython(set_fillfactor("joblogs_hostresult", 80), migrations.RunPython.noop),
    ]
