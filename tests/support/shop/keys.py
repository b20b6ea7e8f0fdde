# SPDX-License-Identifier: Apache-2.0
"""The keys of the application: rings that a test may replace."""

from pythemis.fields import FieldCipher
from pythemis.keyring import Keyring

RINGS = {"data": Keyring.new("shop").add(), "index": Keyring.new("shop-index").add()}
CIPHER = FieldCipher(lambda: RINGS["data"], index_key=lambda: RINGS["index"])
