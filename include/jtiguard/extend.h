/* SPDX-License-Identifier: Apache-2.0 */
/** @file extend.h
 * For people who write a backend or an adapter: how the library reads the structs of its callers.
 * Beside it stands jtg_error_set() in status.h. Who only calls the library needs neither.
 */
#ifndef JTIGUARD_EXTEND_H
#define JTIGUARD_EXTEND_H

#include <jtiguard/status.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Judge a caller's versioned struct, whose first member is its size: may what it says be taken?
 *
 * Not if its size was never set (less than oldest_size, or beyond 4096 bytes), nor if it is longer
 * than known_size and what is behind is not all zero: a later program asks for something that this
 * one would not do.
 *
 * what:    how errors name it, e.g. "options".
 * oldest_size: its size in its first release; known_size where it is used in place and not copied.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also where given is NULL)
 * Owns:    given, what borrowed · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_struct_check(const void *given, size_t known_size,
                                                    size_t oldest_size, const char *what,
                                                    jtg_error *err);

/** Judge it, and copy it over one that holds the defaults: what an older program's lacks keeps its
 * default, and so does all where given is NULL, which is JTG_OK. known's size becomes known_size;
 * on an error known is as before. As jtg_struct_check() in all else. */
JTG_API JTG_WARN_UNUSED jtg_status jtg_struct_read(void *known, size_t known_size,
                                                   size_t oldest_size, const void *given,
                                                   const char *what, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
