# SPDX-License-Identifier: Apache-2.0
"""The cipher that the settings of a project name."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from pythemis._core.errors import wrong_type, wrong_value
from pythemis.fields._cipher import FieldCipher
from pythemis.fields._errors import ERRORS

SETTING = "SEALED_FIELDS_CIPHER"


def cipher() -> FieldCipher:
    """Return the cipher that seals, from the setting: a FieldCipher, or the path of one.

    Raises:
        FieldError: the setting is missing or names something else.
    """
    found = getattr(settings, SETTING, None)
    if found is None:
        wrong_value(
            ERRORS,
            f'sealed fields need the setting {SETTING}, such as "shop.keys.cipher": the path of a '
            "pythemis.fields.FieldCipher",
        )
    if isinstance(found, str):
        found = _at(found)  # it is asked for each value
    if not isinstance(found, FieldCipher):
        wrong_type(ERRORS, f"{SETTING} must name a FieldCipher, not {type(found).__name__}")
    return found


@lru_cache
def _at(path: str) -> object:
    return import_string(path)
