# SPDX-License-Identifier: Apache-2.0
"""``python -m pythemis``: the self-test; with arguments, the command `pythemis`."""

import sys

from ._cli.main import of_module as main

if __name__ == "__main__":
    sys.exit(main())
