/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto keeps things for each thread: random generators with their seeds, errors. Where it is a
 * library of its own Windows tells it when a thread ends; where it stands inside ours Windows tells
 * us, and without a word to it they would stay until the process ends. */
#include <openssl/crypto.h>

#if defined(_WIN32) && defined(SOTER_PRIVATE_LIBCRYPTO)

#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID reserved);

BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID reserved)
{
    (void)library;
    (void)reserved;
    if (reason == DLL_THREAD_DETACH) {
        OPENSSL_thread_stop();
    }
    return TRUE;
}

#endif
