# SPDX-License-Identifier: Apache-2.0
"""The least that a project needs; in production the keys are not beside the database."""

import os
from pathlib import Path

HOME = Path(os.environ.get("SHOP_HOME", Path(__file__).parents[1]))
KEYS = HOME / "keys"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HOME / "shop.sqlite3"}}
INSTALLED_APPS = ["pythemis.fields.django", "shop"]
SEALED_FIELDS_CIPHER = "shop.keys.cipher"
USE_TZ = True
