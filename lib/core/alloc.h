/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the library goes through here, so that a test can make the n-th one
 * fail and walk through all the ways of running out of memory. */
#ifndef JTGI_CORE_ALLOC_H
#define JTGI_CORE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* What two processors can write to without taking it from each other: two cache lines, because a
 * processor may fetch them in pairs. */
enum { JTGI_PLACE_BYTES = 128 };

/* Zeroed memory, or NULL. Free with jtgi_free(). */
void *jtgi_alloc(size_t size);

/* The same, beginning and ending at a multiple of JTGI_PLACE_BYTES, so that no other allocation
 * is in any of its places. */
void *jtgi_alloc_apart(size_t size);

void jtgi_free(void *memory);

/* Free memory that held a secret, or a value that may be one. */
void jtgi_free_wiped(void *memory, size_t size);

/* Memory for a key: between guard pages, and kept out of swap and core dumps where the system
 * allows it. Zeroed, or NULL. libsodium must be ready (core/object.h). */
void *jtgi_secret_alloc(size_t size);
void jtgi_secret_free(void *memory); /* wipes it */

/* A copy of a string, or NULL. */
char *jtgi_strdup(const char *text);

/* Zeroed pages that cost no memory until they are touched, or NULL. */
void *jtgi_map(size_t size);
void jtgi_unmap(void *pages, size_t size);

/* May an acquisition of something else that can run out (a thread, a descriptor) go ahead?
 * Lets the allocation walk fail it too. */
bool jtgi_alloc_permitted(void);

/* Test seam: asked before each acquisition; true makes it fail. NULL = never. Set it only
 * while no other thread is in the library. */
void jtgi_alloc_set_failure(bool (*should_fail)(void));

#endif
