/* SPDX-License-Identifier: Apache-2.0 */
/* How a versioned struct of the caller is read and filled: one rule for all of them.
 *
 * Who reads one knows its oldest size: sizeof, until a member is added after a release; from then
 * on the offset of the first such member.
 */
#ifndef JTGI_CORE_OPTIONS_H
#define JTGI_CORE_OPTIONS_H

#include <jtiguard/extend.h> /* IWYU pragma: export */
#include <stdbool.h>

/* True: struct_size is one that was set, of a struct that is filled or used where it lies. */
bool jtgi_struct_size_ok(size_t given_size, size_t oldest_size);

/* Fill such a struct with what it has room for; its size stays the caller's. */
void jtgi_struct_give(void *given, const void *made, size_t made_size);

#endif
