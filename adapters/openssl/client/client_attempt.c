/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/client/client_attempt.h"

#include <openssl/crypto.h>

static CRYPTO_ONCE indices_once = CRYPTO_ONCE_STATIC_INIT;
static int client_index = -1;
static int attempt_index = -1;

static void free_client(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number,
                        void *pointer)
{
    (void)parent;
    (void)all;
    (void)index;
    (void)number;
    (void)pointer;
    OPENSSL_free(data);
}

static void free_attempt(struct jtgo_attempt *attempt)
{
    if (attempt == NULL)
        return;
    SSL_SESSION_free(attempt->offered);
    sk_X509_pop_free(attempt->chain, X509_free);
    OPENSSL_clear_free(attempt, sizeof *attempt);
}

static void free_attempt_of(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number,
                            void *pointer)
{
    (void)parent;
    (void)all;
    (void)index;
    (void)number;
    (void)pointer;
    free_attempt(data);
}

/* SSL_dup() has given the copy the same session by now: both would offer its ticket. */
static int dup_attempt(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **data, int index,
                       long number, void *pointer)
{
    const struct jtgo_attempt *attempt = *data;
    (void)to;
    (void)from;
    (void)index;
    (void)number;
    (void)pointer;
    *data = NULL;
    return attempt == NULL || attempt->offered == NULL;
}

static void make_indices(void)
{
    client_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_client);
    attempt_index = SSL_get_ex_new_index(0, NULL, NULL, dup_attempt, free_attempt_of);
}

static bool has_indices(void)
{
    return CRYPTO_THREAD_run_once(&indices_once, make_indices) == 1 && client_index >= 0 &&
           attempt_index >= 0;
}

bool jtgo_client_attach(SSL_CTX *context, struct jtgo_client *client)
{
    return has_indices() && SSL_CTX_set_ex_data(context, client_index, client) == 1;
}

struct jtgo_client *jtgo_client_of(const SSL_CTX *context)
{
    return has_indices() ? SSL_CTX_get_ex_data(context, client_index) : NULL;
}

struct jtgo_attempt *jtgo_attempt_of(const SSL *ssl)
{
    return has_indices() ? SSL_get_ex_data(ssl, attempt_index) : NULL;
}

void jtgo_attempt_end(SSL *ssl)
{
    struct jtgo_attempt *attempt = jtgo_attempt_of(ssl);
    if (attempt == NULL)
        return;
    (void)SSL_set_ex_data(ssl, attempt_index, NULL);
    free_attempt(attempt);
}

struct jtgo_attempt *jtgo_attempt_begin(SSL *ssl)
{
    jtgo_attempt_end(ssl);
    struct jtgo_attempt *attempt = OPENSSL_zalloc(sizeof *attempt);
    if (attempt == NULL || !has_indices() || SSL_set_ex_data(ssl, attempt_index, attempt) != 1) {
        OPENSSL_free(attempt);
        return NULL;
    }
    return attempt;
}
