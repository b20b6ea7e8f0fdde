/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_INTRIN_H
#define MSVC_INTRIN_H

void *_InterlockedExchangePointer(void *volatile *place, void *pointer);
void __cpuid(int registers[4], int leaf);
int _rdrand64_step(unsigned long long *word);

#endif
