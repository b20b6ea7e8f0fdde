# SPDX-License-Identifier: Apache-2.0
"""Rounds that prove what docs/evidence promises."""
