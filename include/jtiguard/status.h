/* SPDX-License-Identifier: Apache-2.0 */
/** @file status.h
 * What a call answered, and the detail of a failure.
 *
 * JTG_OK is zero and is the only answer that admits; every other answer refuses.
 * Answers that differ for the caller are different codes: a replay, a full store and
 * an unreachable store are never told by one code.
 */
#ifndef JTIGUARD_STATUS_H
#define JTIGUARD_STATUS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Marks what the shared library exports. Everything else is hidden. */
#if defined(__GNUC__)
#define JTG_API         __attribute__((visibility("default")))
#define JTG_WARN_UNUSED __attribute__((warn_unused_result))
#define JTG_PRINTF(format_index, first_index)                                                      \
    __attribute__((format(printf, format_index, first_index)))
#else
#define JTG_API
#define JTG_WARN_UNUSED
#define JTG_PRINTF(format_index, first_index)
#endif

/** Every status: symbol, value, name for machines, text for people.
 *
 * Values are part of the ABI: a row is never renumbered, new rows go to the end.
 */
#define JTG_STATUS_MAP(X)                                                                          \
    X(JTG_OK, 0, "ok", "done")                                                                     \
    X(JTG_REPLAYED, 1, "replayed", "another owner holds the key")                                  \
    X(JTG_NOT_FOUND, 2, "not_found", "nothing live is stored under the key")                       \
    X(JTG_NOT_OWNER, 3, "not_owner", "the key is held by another owner")                           \
    X(JTG_MISMATCH, 4, "mismatch", "the current value is not the expected one")                    \
    X(JTG_ERR_ARGUMENT, 5, "bad_argument", "an argument is missing or out of its range")           \
    X(JTG_ERR_MEMORY, 6, "out_of_memory", "out of memory")                                         \
    X(JTG_ERR_FULL, 7, "store_full", "the store is full of live entries")                          \
    X(JTG_ERR_GROUP_FULL, 8, "group_full", "the group has used up its share of the store")         \
    X(JTG_ERR_UNAVAILABLE, 9, "store_unavailable", "the store cannot be reached")                  \
    X(JTG_ERR_TIMEOUT, 10, "outcome_unknown", "time ran out, whether it was done is unknown")      \
    X(JTG_ERR_UNSAFE, 11, "store_unsafe", "the store may forget live entries")                     \
    X(JTG_ERR_CONTINUITY, 12, "continuity_lost", "the store has forgotten live entries")           \
    X(JTG_ERR_REFUSED, 13, "store_refused", "the store answered with an error")                    \
    X(JTG_ERR_PROTOCOL, 14, "store_protocol", "the store's answer was not understood")             \
    X(JTG_ERR_REPLICAS, 15, "too_few_replicas", "too few replicas confirmed the write")            \
    X(JTG_ERR_FORKED, 16, "forked", "the object belongs to the process before fork")               \
    X(JTG_ERR_UNSUPPORTED, 17, "unsupported", "this backend or build does not offer it")           \
    X(JTG_ERR_SYSTEM, 18, "system", "a system call failed")                                        \
    X(JTG_ERR_BLOCKED, 19, "store_blocked", "another process stayed inside the store too long")

/** The answer of nearly every public function. */
typedef enum jtg_status {
#define JTG_STATUS_ENUM(symbol, value, name, text) symbol = (value),
    JTG_STATUS_MAP(JTG_STATUS_ENUM)
#undef JTG_STATUS_ENUM
        JTG_STATUS_COUNT = 20 /**< Number of statuses; grows, so never store it. */
} jtg_status;

/** Name of a status for machines: lower case, `_` between words, e.g. "replayed".
 *
 * Returns: borrowed, static; "unknown" for a value that is no status.
 * Threads: any   Blocks: never
 */
JTG_API const char *jtg_status_name(jtg_status status);

/** One line of text for people. As jtg_status_name() in all else. */
JTG_API const char *jtg_status_text(jtg_status status);

enum { JTG_ERROR_TEXT_BYTES = 200 /**< Size of jtg_error.text with its NUL. */ };

/** Why a call failed. The caller owns it; the library writes it only during the call.
 *
 * A call that fails fills it with the first cause; a call that succeeds empties it.
 * The text never holds a key, a value, a token or a secret. Its layout is fixed.
 */
typedef struct jtg_error {
    jtg_status status;               /**< The status that the call returned. */
    int system_errno;                /**< errno of the system call behind it, or 0. */
    char text[JTG_ERROR_TEXT_BYTES]; /**< One line, NUL-terminated, maybe empty. */
} jtg_error;

/** Initialiser of a jtg_error: no error. */
#define JTG_ERROR_INIT                                                                             \
    {                                                                                              \
        JTG_OK, 0,                                                                                 \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/** Describe a failure, unless err already holds one: the first cause wins.
 *
 * For people who write a backend, an adapter or the functions of a store. Who only calls the
 * library does not need it.
 *
 * Returns: status, so that it can end a function: `return jtg_error_set(err, …);`
 * Owns:    err borrowed, may be NULL · format and its arguments borrowed; they must name no
 *          key, value or secret. Text beyond JTG_ERROR_TEXT_BYTES is cut; control characters
 *          become '?'.
 * Threads: any   Blocks: never
 */
JTG_API JTG_PRINTF(4, 5) jtg_status
    jtg_error_set(jtg_error *err, jtg_status status, int system_errno, const char *format, ...);

#ifdef __cplusplus
}
#endif
#endif
