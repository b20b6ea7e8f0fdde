# SPDX-License-Identifier: Apache-2.0
"""Wheels and releases: made, audited, compared."""
