# SPDX-License-Identifier: Apache-2.0
"""The documentation, checked and looked at."""
