/* SPDX-License-Identifier: Apache-2.0 */
/* How a versioned struct of the caller is read: one rule for all of them. */
#ifndef JTGI_CORE_OPTIONS_H
#define JTGI_CORE_OPTIONS_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stddef.h>

/* Copy a caller's struct, whose first member is its size, over one that holds the defaults: see
 * jtg_struct_read() in backend.h, which is the same for adapters. */
jtg_status jtgi_options_read(void *known, size_t known_size, size_t oldest_size, const void *given,
                             const char *what, jtg_error *err);

/* The same for a struct that is given to be filled: true if its size is one we can serve. */
bool jtgi_output_size_ok(size_t given_size, size_t oldest_size);

/* Fill such a struct with what it has room for; its size stays the caller's. */
void jtgi_output_give(void *given, const void *made, size_t made_size);

#endif
