/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_INTRIN_H
#define MSVC_INTRIN_H

void *_InterlockedExchangePointer(void *volatile *place, void *pointer);

#endif
