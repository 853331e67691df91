/* SPDX-License-Identifier: Apache-2.0 */
/* What GnuTLS gives to a gnutls_db_add_func, taken apart:
 *
 *   key     seconds, 8 bytes, and nanoseconds, 4 bytes, of the start of its window; the binder
 *   data    a magic number, now, the window: 4 bytes each; seconds, rounded down
 *   end     now and the window
 *
 * all numbers big-endian. No document says so. Each part is compared with what else is known, so
 * that an entry of another layout is refused and not taken for something else. */
#ifndef JTGI_ADAPTERS_DB_ENTRY_H
#define JTGI_ADAPTERS_DB_ENTRY_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct jtgi_db_entry {
    const unsigned char *binder; /* borrowed from the key */
    size_t binder_len;
    int64_t judged_s; /* when GnuTLS found the flight fresh, rounded down */
};

/* False if the entry is none that we know, or was made with another window. */
bool jtgi_db_entry_read(struct jtgi_db_entry *entry, uint32_t window_ms, time_t end,
                        const gnutls_datum_t *key, const gnutls_datum_t *data);

#endif
