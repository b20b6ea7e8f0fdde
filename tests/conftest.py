# SPDX-License-Identifier: Apache-2.0
"""What holds for every test."""

from hypothesis import settings

# A busy machine is no failure. `make memcheck` asks for the built-in profile "ci" instead, which
# always tries the same examples.
settings.register_profile("pythemis", deadline=None, print_blob=True)
settings.load_profile("pythemis")
