# SPDX-License-Identifier: Apache-2.0
"""A Django application with sealed fields. Import `start` first, in a process of its own."""

import logging
import os

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "file:shop?mode=memory&cache=shared",  # one for all threads
}
FOLDER = "PYTHEMIS_SHOP_POSTGRES"  # names the folder of the socket of a PostgreSQL server


def databases():
    """Give Django's setting: SQLite in memory, or the server that the environment names."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return {"default": SQLITE}
    engine = "django.db.backends.postgresql"
    return {"default": {"ENGINE": engine, "NAME": "postgres", "USER": "shop", "HOST": folder}}


def start():
    """Configure Django, create the tables, and return the list that gets all logged SQL."""
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    settings.configure(
        DEBUG=True,  # which logs SQL
        DATABASES=databases(),
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "pythemis.fields.django",
            "support.shop",
        ],
        SEALED_FIELDS_CIPHER="support.shop.keys.CIPHER",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="of no use",
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
    if FOLDER in os.environ:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", run_syncdb=True, verbosity=0)
    return logged
