# SPDX-License-Identifier: Apache-2.0
"""What a test was warned of."""

import warnings


def ours_of(caught):
    """Leave out what garbage of other tests warned of, which was collected meanwhile."""
    return [each for each in caught if each.category is not ResourceWarning]


def places_of(caught):
    """Give the files that warnings blame."""
    return [each.filename for each in ours_of(caught)]


def as_errors():
    """Have what warns raise from here on, but for garbage of other tests."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ResourceWarning)
