# SPDX-License-Identifier: Apache-2.0
"""A Django application with sealed fields. Import `start` first, in a process of its own."""

import logging


def start(name="file:shop?mode=memory&cache=shared"):
    """Configure Django, create the tables, and return the list that gets all logged SQL."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        DEBUG=True,  # which logs SQL
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": name}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "pythemis.fields.django",
            "support.shop",
        ],
        SEALED_FIELDS_CIPHER="support.shop.keys.CIPHER",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    logged = []

    class Keep(logging.Handler):
        def emit(self, record):
            logged.append(record.getMessage())

    logger = logging.getLogger("django.db.backends")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Keep())
    logger.propagate = False
    call_command("migrate", run_syncdb=True, verbosity=0)
    return logged
