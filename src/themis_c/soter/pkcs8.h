/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in the forms that the rest of the world uses: PKCS#8, also encrypted, and
 * SubjectPublicKeyInfo, in DER or PEM. */
#ifndef SOTER_PKCS8_H
#define SOTER_PKCS8_H

#define SOTER_PKCS8_MAX_SIZE (1024 * 1024) /* of what is read; an honest key has 13 KiB at most */

enum soter_key_text { SOTER_DER, SOTER_PEM };

#endif
