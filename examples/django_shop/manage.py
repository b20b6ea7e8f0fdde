# SPDX-License-Identifier: Apache-2.0
"""A shop whose customers are sealed. README.md says what to run."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)
