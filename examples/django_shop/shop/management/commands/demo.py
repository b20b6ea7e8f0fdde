# SPDX-License-Identifier: Apache-2.0
"""Write customers, find one, and show what the database has."""

from django.core.management.base import BaseCommand
from django.db import connection

from shop.models import Customer


class Command(BaseCommand):
    """Show sealed fields at work."""

    help = "Write customers, find one, and show what the database has."

    def handle(self, *_: object, **__: object) -> None:
        """Show it."""
        for name in ("Ann", "Bob", "Zoë"):
            email = f"{name}@example.org"
            Customer.objects.update_or_create(email=email, defaults={"name": name, "card": "4929"})
        found = Customer.objects.get(email="ann@EXAMPLE.org")
        self.stdout.write(
            f"{Customer.objects.count()} customers; {found} has the card {found.card}"
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT card FROM shop_customer")
            cells = [bytes(cell) for (cell,) in cursor]
        self.stdout.write(f"the database has {cells[0][:3]!r} and {len(cells[0])} bytes in all")
        self.stdout.write(f"the card is in it: {any(b'4929' in cell for cell in cells)}")
