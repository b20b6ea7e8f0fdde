# SPDX-License-Identifier: Apache-2.0
"""Made by `python manage.py makemigrations`."""

import uuid

from django.db import migrations, models

import pythemis.fields.django


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("name", models.TextField()),
                (
                    "email",
                    pythemis.fields.django.SealedField(
                        models.EmailField(max_length=254),
                        index=pythemis.fields.django.BlindIndex(bits=96),
                        unique=True,
                    ),
                ),
                (
                    "card",
                    pythemis.fields.django.SealedField(models.TextField(blank=True, null=True)),
                ),
                (
                    "email_index",
                    pythemis.fields.django.SealedIndexField(bits=96, unique=True),
                ),
            ],
        ),
    ]
