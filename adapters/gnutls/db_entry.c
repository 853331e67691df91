/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/gnutls/db_entry.h"

enum {
    NANOSECONDS_AT = 8,
    PREFIX_BYTES = 12,
    DATA_BYTES = 12,
    SHA256_BYTES = 32,
    SHA384_BYTES = 48,
    NANOSECONDS_LIMIT = 1000000000,
    /* Another thread may have begun a new window meanwhile, and clocks are corrected. */
    SLACK_S = 5
};

static uint64_t read_number(const unsigned char *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* A binder of a suite of TLS 1.3 after the prefix. */
static bool has_known_size(const gnutls_datum_t *key, const gnutls_datum_t *data)
{
    if (key->data == NULL || data->data == NULL || data->size != DATA_BYTES)
        return false;
    return key->size == PREFIX_BYTES + SHA256_BYTES || key->size == PREFIX_BYTES + SHA384_BYTES;
}

/* Is what stands before the binder the start of the window in which judged_s lies? */
static bool is_window_start(const unsigned char *prefix, int64_t judged_s, int64_t window_s)
{
    uint64_t start_s = read_number(prefix, NANOSECONDS_AT);
    return read_number(prefix + NANOSECONDS_AT, PREFIX_BYTES - NANOSECONDS_AT) <
               NANOSECONDS_LIMIT &&
           start_s <= (uint64_t)(judged_s + SLACK_S) &&
           start_s + (uint64_t)(window_s + SLACK_S) >= (uint64_t)judged_s;
}

bool jtgi_db_entry_read(struct jtgi_db_entry *entry, uint32_t window_ms, time_t end,
                        const gnutls_datum_t *key, const gnutls_datum_t *data)
{
    if (!has_known_size(key, data))
        return false;
    /* GnuTLS's own readers: 0 for a magic number that is not theirs. They change nothing. */
    gnutls_datum_t readable = *data;
    int64_t judged_s = gnutls_db_check_entry_time(&readable);
    int64_t window_s = window_ms / 1000;
    if (judged_s <= 0 || end != judged_s + window_s ||
        gnutls_db_check_entry_expire_time(&readable) != end ||
        !is_window_start(key->data, judged_s, window_s))
        return false;
    entry->binder = key->data + PREFIX_BYTES;
    entry->binder_len = key->size - PREFIX_BYTES;
    entry->judged_s = judged_s;
    return true;
}
