/* SPDX-License-Identifier: Apache-2.0 */
/* What GnuTLS gives to a gnutls_db_add_func, made by hand. */
#ifndef TESTS_ADAPTERS_DB_ENTRY_FIXTURE_H
#define TESTS_ADAPTERS_DB_ENTRY_FIXTURE_H

#include <gnutls/gnutls.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* GnuTLS's magic number, which goes with its version. */
#define ENTRY_MAGIC (0xfadebaddU + GNUTLS_VERSION_NUMBER)

enum { ENTRY_PREFIX = 12, ENTRY_BINDER = 32, ENTRY_BINDER_MAX = 48 };

struct made_entry {
    unsigned char key_bytes[ENTRY_PREFIX + ENTRY_BINDER_MAX + 1];
    unsigned char data_bytes[12];
    gnutls_datum_t key;
    gnutls_datum_t data;
    time_t end;
};

static inline void write_number(unsigned char *bytes, unsigned len, uint64_t number)
{
    while (len-- > 0) {
        bytes[len] = (unsigned char)number;
        number >>= 8;
    }
}

/* Judged at now_s in a window of window_s that began at start_s; the binder repeats one byte. */
static inline void make_entry(struct made_entry *entry, int64_t now_s, uint32_t window_s,
                              int64_t start_s, unsigned char binder)
{
    memset(entry->key_bytes, binder, sizeof entry->key_bytes);
    write_number(entry->key_bytes, 8, (uint64_t)start_s);
    write_number(entry->key_bytes + 8, 4, 999999999);
    write_number(entry->data_bytes, 4, ENTRY_MAGIC);
    write_number(entry->data_bytes + 4, 4, (uint64_t)now_s);
    write_number(entry->data_bytes + 8, 4, window_s);
    entry->key = (gnutls_datum_t){entry->key_bytes, ENTRY_PREFIX + ENTRY_BINDER};
    entry->data = (gnutls_datum_t){entry->data_bytes, sizeof entry->data_bytes};
    entry->end = (time_t)(now_s + window_s);
}

#endif
