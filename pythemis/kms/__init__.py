# SPDX-License-Identifier: Apache-2.0
"""Key services: the key that opens a file or a keyring stays in AWS KMS, Vault or an HSM.

A service encrypts the key of each file; the file's data never goes there (specification,
section 8.3). The services are `pythemis.kms.aws.AwsKms`, `pythemis.kms.vault.Transit` and
`pythemis.kms.pkcs11.Token`. Each needs a library of its own, which is loaded when it is first used.
"""

from __future__ import annotations

from pythemis._hints import Service
from pythemis.exception import ThemisError

__all__ = ["Service", "ServiceError"]


class ServiceError(ThemisError):
    """A key service could not do its work.

    The network, permission, rate or login failed, or the key is disabled or missing. Nothing says
    that the file is wrong: repeat the call when the service works again. Data that does not open
    is another error.

    Its ``error_code`` is NETWORK_ERROR if the service gave no answer, NOT_SUPPORTED if the library
    for it is missing, and FAIL otherwise.
    """
