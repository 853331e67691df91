/* SPDX-License-Identifier: Apache-2.0 */
/* Which tokens two entries would both take: of one list, where that is an error, and of two lists,
 * the one before a reload and the one after it. There the guard must remember such a token under
 * one key, or a used one would be new. */
#ifndef SERVE_ENTRIES_H
#define SERVE_ENTRIES_H

#include "serve/verify/verify_settings.h"

/* Whether its kind is one that the verifier knows. */
bool entry_has_kind(const struct issuer_settings *entry);

/* The typs that it takes: its own, or those of its kind. Borrowed. */
struct text_list entry_typs(const struct issuer_settings *entry);

/* What it is called in messages. */
const char *entry_name(const struct issuer_settings *entry);

/* Whether one token could be of both. */
bool entries_overlap(const struct issuer_settings *one, const struct issuer_settings *other);

/* The setting by which entry *index of the new list would have the guard look for a token under
 * another key than the one that the old list stored it under; NULL: there is none. */
const char *entries_moved(const struct verify_settings *old_settings,
                          const struct verify_settings *new_settings, size_t *index);

#endif
