# SPDX-License-Identifier: Apache-2.0
"""The table of the command ``manage.py sealed``."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):  # type: ignore[misc, unused-ignore]
    """Make the table."""

    initial = True
    dependencies: list[tuple[str, str]] = []  # noqa: RUF012
    operations = [  # noqa: RUF012
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("job", models.TextField()),
                ("target", models.TextField()),
                ("position", models.TextField()),
                ("rows", models.BigIntegerField()),
                ("updated", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "checkpoint of sealed fields",
                "verbose_name_plural": "checkpoints of sealed fields",
                "default_permissions": (),
            },
        ),
    ]
