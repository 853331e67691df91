/* SPDX-License-Identifier: Apache-2.0 */
/* What another version of GnuTLS may hand to a gnutls_db_add_func: the first byte is the length of
 * the data, the data follows with the magic number of this one, then the key. Nothing may be read
 * outside of them, and what is taken for a binder is the end of the key. Linked with libFuzzer, or
 * with fuzz_main.c where there is none. */
#include "adapters/gnutls/db_entry.h"

#include "adapters/gnutls/db_entry_fixture.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { WINDOW_MS = 10000 };

static gnutls_datum_t copy_of(const uint8_t *bytes, size_t len)
{
    gnutls_datum_t datum = {malloc(len != 0 ? len : 1), (unsigned)len};
    if (datum.data != NULL && len != 0)
        memcpy(datum.data, bytes, len);
    return datum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    struct jtgi_db_entry entry;
    if (data_len == 0 || data[0] > data_len - 1)
        return 0;
    gnutls_datum_t stored = copy_of(data + 1, data[0]);
    gnutls_datum_t key = copy_of(data + 1 + data[0], data_len - 1 - data[0]);
    if (stored.data != NULL && stored.size >= 4)
        write_number(stored.data, 4, ENTRY_MAGIC);
    time_t end = stored.data != NULL ? gnutls_db_check_entry_expire_time(&stored) : 0;
    if (jtgi_db_entry_read(&entry, WINDOW_MS, end, &key, &stored) &&
        (entry.binder <= key.data || entry.binder + entry.binder_len != key.data + key.size))
        abort();
    free(stored.data);
    free(key.data);
    return 0;
}
