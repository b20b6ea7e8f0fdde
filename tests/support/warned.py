# SPDX-License-Identifier: Apache-2.0
"""What a test was warned of."""


def places_of(caught):
    """Give the files that warnings blame, but for garbage of other tests, collected meanwhile."""
    return [each.filename for each in caught if each.category is not ResourceWarning]
