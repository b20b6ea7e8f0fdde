/* SPDX-License-Identifier: Apache-2.0 */
/* A place where one operation leaves its working object for the next one: making and freeing
 * OpenSSL's contexts costs more than encrypting a short message.
 *
 * Threads that share the place never wait and never see one object twice. What lies here may still
 * hold secrets of the last operation; so it belongs to a handle that holds the secret they came
 * from, and is wiped and freed with it. */
#ifndef SOTER_REUSE_H
#define SOTER_REUSE_H

typedef struct soter_reuse {
    void *volatile kept;
} soter_reuse;

/* Takes the object that was left, or NULL. Only the caller has it then. */
void *soter_reuse_take(soter_reuse *place);

/* Leaves an object. Returns what the caller must free: NULL, or the object that another thread left
 * in the meantime. */
void *soter_reuse_leave(soter_reuse *place, void *object);

#endif
