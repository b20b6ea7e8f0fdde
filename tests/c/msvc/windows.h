/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_WINDOWS_H
#define MSVC_WINDOWS_H

typedef int BOOL;
typedef unsigned long DWORD;
typedef void *HINSTANCE;
typedef void *LPVOID;

#define WINAPI __stdcall
#define TRUE 1
#define DLL_THREAD_DETACH 3

#endif
