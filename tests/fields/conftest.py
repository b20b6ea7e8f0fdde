# SPDX-License-Identifier: Apache-2.0
"""Servers of databases, one of each for the tests of a file."""

import pytest

from support import mariadb, postgres
from support.live_services import needed


@pytest.fixture(scope="module")
def postgresql_address():
    """Start PostgreSQL."""
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="module")
def mariadb_address():
    """Start MariaDB."""
    needed("pymysql")
    with mariadb.server() as address:
        yield address
