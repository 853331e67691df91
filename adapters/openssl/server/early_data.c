/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/server/early_data.h"

static CRYPTO_ONCE index_once = CRYPTO_ONCE_STATIC_INIT;
static int guard_index = -1;

void jtgo_attached_free(void *parent, void *attached, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    OPENSSL_free(attached);
}

int jtgo_attached_forget(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **attached, int index,
                         long argl, void *argp)
{
    (void)to;
    (void)from;
    (void)index;
    (void)argl;
    (void)argp;
    *attached = NULL;
    return 1;
}

static void make_index(void)
{
    guard_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, jtgo_attached_forget, jtgo_attached_free);
}

bool jtgo_early_data_begin(void)
{
    return CRYPTO_THREAD_run_once(&index_once, make_index) == 1 && guard_index >= 0;
}

struct jtgo_early_data *jtgo_early_data_of_context(const SSL_CTX *context)
{
    return SSL_CTX_get_ex_data(context, guard_index);
}

struct jtgo_early_data *jtgo_early_data_of(const SSL *ssl)
{
    return jtgo_early_data_of_context(SSL_get_SSL_CTX(ssl));
}

struct jtgo_early_data *jtgo_early_data_attach(SSL_CTX *context)
{
    struct jtgo_early_data *guard = OPENSSL_zalloc(sizeof *guard);
    if (guard == NULL || SSL_CTX_set_ex_data(context, guard_index, guard) == 1)
        return guard;
    OPENSSL_free(guard);
    return NULL;
}

void jtgo_early_data_detach(SSL_CTX *context)
{
    struct jtgo_early_data *guard = jtgo_early_data_of_context(context);
    (void)SSL_CTX_set_ex_data(context, guard_index, NULL);
    OPENSSL_free(guard);
}
