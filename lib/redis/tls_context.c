/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/tls_context.h"

#include "core/alloc.h"

#include <jtiguard/backend.h>
#include <openssl/err.h>
#include <stdbool.h>

static jtg_status refuse(jtg_error *err, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    jtg_status status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: %s cannot be used: %s",
                                      what, reason != NULL ? reason : "not readable");
    ERR_clear_error();
    return status;
}

/* Without one OpenSSL would ask at the terminal. */
static int no_passphrase(char *buffer, /* NOLINT(readability-non-const-parameter) */
                         int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static jtg_status load_files(SSL_CTX *context, const jtg_redis_options *options, jtg_error *err)
{
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (options->tls_ca_file != NULL
            ? SSL_CTX_load_verify_locations(context, options->tls_ca_file, NULL) != 1
            : SSL_CTX_set_default_verify_paths(context) != 1)
        return refuse(err, "tls_ca_file");
    if (options->tls_cert_file == NULL)
        return JTG_OK;
    if (SSL_CTX_use_certificate_chain_file(context, options->tls_cert_file) != 1)
        return refuse(err, "tls_cert_file");
    if (SSL_CTX_use_PrivateKey_file(context, options->tls_key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse(err, "tls_key_file");
    return JTG_OK;
}

static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_quiet_shutdown(context, 1);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* A read returns after each record: a server that streams tickets is held to the deadline. */
    (void)SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

jtg_status jtgi_tls_context_make(SSL_CTX **context, const jtg_redis_options *options,
                                 jtg_error *err)
{
    SSL_CTX *made = jtgi_alloc_permitted() ? SSL_CTX_new(TLS_client_method()) : NULL;
    jtg_status status = made != NULL && set_rules(made)
                            ? load_files(made, options, err)
                            : jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for TLS");
    *context = NULL;
    if (status == JTG_OK)
        *context = made;
    else
        SSL_CTX_free(made);
    return status;
}
