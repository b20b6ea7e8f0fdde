# SPDX-License-Identifier: Apache-2.0
# The compiled module; what lib holds is written once, in src/themis_c/themis.h.
from typing import Any

ffi: Any
lib: Any
