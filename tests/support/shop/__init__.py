# SPDX-License-Identifier: Apache-2.0
"""A Django application with sealed fields. Import `start` first, in a process of its own."""

import logging
import os

TEMPLATES = "django.template.backends.django.DjangoTemplates"
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "file:shop?mode=memory&cache=shared",  # one for all threads
}
FOLDER = "PYTHEMIS_SHOP_POSTGRES"  # names the folder of the socket of a PostgreSQL server
SOCKET = "PYTHEMIS_SHOP_MARIADB"  # names the socket of a MariaDB server


def databases():
    """Give Django's setting: SQLite in memory, or the server that the environment names."""
    if FOLDER in os.environ:
        engine, name, user, host = "postgresql", "postgres", "shop", os.environ[FOLDER]
    elif SOCKET in os.environ:
        import pymysql

        pymysql.install_as_MySQLdb()
        engine, name, user, host = "mysql", "shop", "root", os.environ[SOCKET]
    else:
        return {"default": SQLITE}
    engine = f"django.db.backends.{engine}"
    return {"default": {"ENGINE": engine, "NAME": name, "USER": user, "HOST": host}}


def empty(connection):
    """Leave nothing of what another process had in the database of a server."""
    with connection.cursor() as cursor:
        if FOLDER in os.environ:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        elif SOCKET in os.environ:
            cursor.execute("DROP DATABASE shop")
            cursor.execute("CREATE DATABASE shop")
            cursor.execute("USE shop")


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
            "django.contrib.admin",
            "django.contrib.messages",
            "django.contrib.sessions",
            "pythemis.fields.django",
            "support.shop",
        ],
        SEALED_FIELDS_CIPHER="support.shop.keys.CIPHER",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="of no use",
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": TEMPLATES,
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
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
    empty(connection)
    call_command("migrate", run_syncdb=True, verbosity=0)
    return logged
