# SPDX-License-Identifier: Apache-2.0
"""Make new keys: the first ones, or those that replace them."""

from django.core.management.base import BaseCommand

from shop.keys import add_key


class Command(BaseCommand):
    """Add a key to each ring."""

    help = "Add a key to each ring and make it primary."

    def handle(self, *_: object, **__: object) -> None:
        """Add the keys."""
        for name in ("shop", "shop-index"):
            self.stdout.write(f"{name}: key {add_key(name)} is primary")
