# SPDX-License-Identifier: Apache-2.0
"""The application, which has the command ``sealed``."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class SealedFieldsConfig(AppConfig):  # type: ignore[misc, unused-ignore]
    """The application ``pythemis.fields.django``."""

    name = "pythemis.fields.django"
    label = "sealed_fields"
    verbose_name = "Sealed fields"

    def ready(self) -> None:
        """Let the system check look at the admin."""
        from ._checks import of_admin

        checks.register(of_admin, checks.Tags.admin)
