# SPDX-License-Identifier: Apache-2.0
"""The pictures of these pages, drawn by programs: `PICTURES` has them all by their names."""

from pictures import choices, exchanges, formats, keyrings

PICTURES = choices.PICTURES | formats.PICTURES | exchanges.PICTURES | keyrings.PICTURES

__all__ = ["PICTURES"]
