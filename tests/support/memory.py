# SPDX-License-Identifier: Apache-2.0
"""What Python allocates, where the implementation can tell; PyPy cannot."""

import pytest

try:
    import tracemalloc
except ImportError:
    tracemalloc = None

traced = pytest.mark.skipif(tracemalloc is None, reason="this Python does not trace memory")
