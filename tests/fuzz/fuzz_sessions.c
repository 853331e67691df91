/* SPDX-License-Identifier: Apache-2.0 */
/* What whoever can write the file of a client's tickets can make the adapter for OpenSSL read. The
 * first byte chooses: the bytes as they are, or as what differs from a good record, so that random
 * ones come close to one. Nothing may crash or leak, nothing is trusted that no authority has
 * signed, and what is read can be written. Linked with libFuzzer, or with fuzz_main.c where there
 * is none. */
#include "adapters/openssl/client/client_trust.h"
#include "adapters/openssl/client/session_record.h"
#include "adapters/openssl/session_sample.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { ROOM = 4096 };

static struct session_sample sample;
static SSL *ssl;

static void expect(int is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void set_up(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    expect(context != NULL && session_sample_make(&sample) && sample.len <= ROOM, "sample");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    ssl = SSL_new(context);
    expect(ssl != NULL, "connection");
    SSL_CTX_free(context);
}

static void try_record(const unsigned char *bytes, size_t len)
{
    struct jtgo_session_record record;
    unsigned char pin[JTGO_SPKI_DIGEST_BYTES];
    size_t again_len = 0;
    if (!jtgo_session_record_read(&record, bytes, len))
        return;
    X509 *certificate = SSL_SESSION_get0_peer(record.session);
    (void)jtgo_spki_digest(certificate, pin);
    expect(!jtgo_trust_again(ssl, certificate, record.chain, X509_V_OK), "trust");
    unsigned char *again = jtgo_session_record_write(&record, &again_len);
    expect(again != NULL, "write");
    OPENSSL_clear_free(again, again_len);
    jtgo_session_record_clear(&record);
}

/* The good bytes, with the input as a difference from a place on that its first bytes name. */
static void try_difference(const uint8_t *data, size_t data_len)
{
    unsigned char made[ROOM];
    if (data_len < 2)
        return;
    size_t from = ((size_t)data[0] << 8 | data[1]) % sample.len;
    memcpy(made, sample.bytes, sample.len);
    for (size_t i = 2; i < data_len && from + i - 2 < sample.len; i++)
        made[from + i - 2] = (unsigned char)(made[from + i - 2] ^ data[i]);
    try_record(made, sample.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    if (ssl == NULL)
        set_up();
    if (data_len == 0)
        return 0;
    if (data[0] % 2 == 0)
        try_record(data + 1, data_len - 1);
    else
        try_difference(data + 1, data_len - 1);
    return 0;
}
