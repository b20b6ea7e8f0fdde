/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_ASSERT_H
#define MSVC_ASSERT_H

#define static_assert _Static_assert

#endif
