/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_TIME_H
#define MSVC_TIME_H

typedef long long time_t;
struct tm;
struct timeval;

#endif
