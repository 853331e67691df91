/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/tls/tls_context.h"

#include "core/alloc.h"
#include "core/log.h"

#include <jtiguard/status.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

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

static jtg_status make(SSL_CTX **context, const jtg_redis_options *options, jtg_error *err)
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

jtg_status jtgi_tls_context_init(struct jtgi_tls_context *context,
                                 const struct jtgi_redis_config *config, jtg_error *err)
{
    memset(context, 0, sizeof *context);
    context->config = config;
    (void)pthread_mutex_init(&context->lock, NULL);
    /* Before they are loaded: a change in between is then one that is seen next time. */
    (void)jtgi_tls_files_print(&config->options, context->print);
    return make(&context->current, &config->options, err);
}

void jtgi_tls_context_clear(struct jtgi_tls_context *context)
{
    SSL_CTX_free(context->current);
    context->current = NULL;
}

static bool is_news(struct jtgi_tls_context *context, const unsigned char *print)
{
    pthread_mutex_lock(&context->lock);
    bool news = memcmp(context->print, print, JTGI_TLS_PRINT_BYTES) != 0 &&
                memcmp(context->refused, print, JTGI_TLS_PRINT_BYTES) != 0;
    /* Back to what is in use, e.g. a certificate whose key has not come. */
    if (!news && memcmp(context->print, print, JTGI_TLS_PRINT_BYTES) == 0)
        context->stale[0] = '\0';
    pthread_mutex_unlock(&context->lock);
    return news;
}

/* The caller frees *made, which is the one before. */
static void exchange(struct jtgi_tls_context *context, SSL_CTX **made, const unsigned char *print)
{
    pthread_mutex_lock(&context->lock);
    SSL_CTX *before = context->current;
    context->current = *made;
    memcpy(context->print, print, JTGI_TLS_PRINT_BYTES);
    context->stale[0] = '\0';
    pthread_mutex_unlock(&context->lock);
    *made = before;
}

static void refuse_files(struct jtgi_tls_context *context, const unsigned char *print,
                         const jtg_error *why)
{
    pthread_mutex_lock(&context->lock);
    memcpy(context->refused, print, JTGI_TLS_PRINT_BYTES);
    (void)snprintf(context->stale, sizeof context->stale, "%s", why->text);
    pthread_mutex_unlock(&context->lock);
    jtgi_log(&context->config->logger, JTG_LOG_ERROR, "%s: what it held before stays in use",
             why->text);
}

/* Without memory it is tried again next time. */
static void look_at_files(struct jtgi_tls_context *context)
{
    unsigned char print[JTGI_TLS_PRINT_BYTES];
    jtg_error why = JTG_ERROR_INIT;
    SSL_CTX *made = NULL;
    if (!jtgi_tls_files_print(&context->config->options, print) || !is_news(context, print))
        return;
    jtg_status status = make(&made, &context->config->options, &why);
    if (status == JTG_OK) {
        exchange(context, &made, print);
        SSL_CTX_free(made);
        jtgi_log(&context->config->logger, JTG_LOG_INFO,
                 "redis: the files of certificates have changed, and are in use");
    } else if (status != JTG_ERR_MEMORY) {
        refuse_files(context, print, &why);
    }
}

SSL_CTX *jtgi_tls_context_take(struct jtgi_tls_context *context)
{
    look_at_files(context);
    pthread_mutex_lock(&context->lock);
    SSL_CTX *current = context->current;
    (void)SSL_CTX_up_ref(current);
    pthread_mutex_unlock(&context->lock);
    return current;
}

void jtgi_tls_context_explain(struct jtgi_tls_context *context, jtg_error *err)
{
    static const char head[] = "redis: ";
    char stale[JTG_ERROR_TEXT_BYTES];
    if (err == NULL)
        return;
    const jtg_error plain = *err;
    pthread_mutex_lock(&context->lock);
    memcpy(stale, context->stale, sizeof stale);
    pthread_mutex_unlock(&context->lock);
    if (stale[0] == '\0')
        return;
    err->text[0] = '\0';
    (void)jtg_error_set(err, plain.status, plain.system_errno,
                        "%s (%s, and what it held before was used)", plain.text,
                        stale + sizeof head - 1);
}
