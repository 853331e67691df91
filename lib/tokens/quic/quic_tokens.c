/* SPDX-License-Identifier: Apache-2.0 */
/* Checks every argument once, keeps a child of fork() out, and hands the call to the functions that
 * keep the tokens: those on a cache (quic_cache.c), or the caller's. */
#include "tokens/quic/quic_tokens.h"

#include "tokens/common/endpoint.h"
#include "tokens/quic/quic_cache.h"
#include "tokens/quic/quic_options.h"
#include "tokens/quic/quic_token.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/object.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct jtg_quic_tokens {
    struct jtgi_object base;
    jtg_quic_functions functions;
    void *owned; /* the functions' context, where it is ours */
    uint64_t ttl_ms;
    size_t max_token_bytes;
    atomic_uint shares;
    char name[JTG_QUIC_NAME_MAX_BYTES + 1];
};

static const jtg_quic_token no_token = JTG_QUIC_TOKEN_INIT;

/* ---- life ---- */

/* functions NULL: on the cache. */
static jtg_status set_up(jtg_quic_tokens *tokens, jtg_cache *cache,
                         const jtg_quic_functions *functions, const jtg_quic_tokens_options *given,
                         jtg_error *err)
{
    jtg_quic_tokens_options options;
    jtg_status status = jtgi_quic_options_read(&options, given, err);
    if (status == JTG_OK)
        status = jtgi_object_begin(&tokens->base, NULL, NULL, 0, err);
    if (status != JTG_OK)
        return status;
    tokens->ttl_ms = options.ttl_ms;
    tokens->max_token_bytes = options.max_token_bytes;
    (void)snprintf(tokens->name, sizeof tokens->name, "%s", options.name);
    atomic_init(&tokens->shares, 1);
    if (functions != NULL)
        return jtgi_quic_functions_read(&tokens->functions, functions, err);
    status = jtgi_quic_cache_functions(&tokens->functions, cache, &options, err);
    tokens->owned = tokens->functions.context;
    return status;
}

static jtg_status make(jtg_quic_tokens **tokens, jtg_cache *cache,
                       const jtg_quic_functions *functions, const jtg_quic_tokens_options *options,
                       jtg_error *err)
{
    jtgi_error_begin(err);
    if (tokens == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the tokens");
    *tokens = NULL;
    if (cache == NULL && functions == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache or functions is NULL");
    jtg_quic_tokens *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the tokens");
    jtg_status status = set_up(made, cache, functions, options, err);
    if (status != JTG_OK) {
        jtgi_free(made);
        return status;
    }
    *tokens = made;
    return JTG_OK;
}

jtg_status jtg_quic_tokens_new(jtg_quic_tokens **tokens, jtg_cache *cache,
                               const jtg_quic_tokens_options *options, jtg_error *err)
{
    return make(tokens, cache, NULL, options, err);
}

jtg_status jtg_quic_tokens_new_custom(jtg_quic_tokens **tokens, const jtg_quic_functions *functions,
                                      const jtg_quic_tokens_options *options, jtg_error *err)
{
    return make(tokens, NULL, functions, options, err);
}

void jtg_quic_tokens_free(jtg_quic_tokens *tokens)
{
    if (tokens == NULL || atomic_fetch_sub(&tokens->shares, 1) != 1)
        return;
    jtgi_free(tokens->owned);
    jtgi_free(tokens);
}

const char *jtgi_quic_tokens_name(const jtg_quic_tokens *tokens)
{
    return tokens->name;
}

jtg_quic_tokens *jtgi_quic_tokens_share(jtg_quic_tokens *tokens)
{
    atomic_fetch_add(&tokens->shares, 1);
    return tokens;
}

/* ---- what every call passes through ---- */

/* An origin in its one spelling. */
struct origin {
    jtg_endpoint endpoint;
    uint32_t version;
    char host[JTGI_HOST_BYTES];
};

static jtg_status begin(const jtg_quic_tokens *tokens, jtg_error *err)
{
    jtgi_error_begin(err);
    if (tokens == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "tokens is NULL");
    return jtgi_object_check(&tokens->base, "the tokens were", err);
}

static jtg_status read_origin(struct origin *origin, const jtg_endpoint *given, uint32_t version,
                              jtg_error *err)
{
    unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
    jtg_status status = jtgi_endpoint_read(&origin->endpoint, given, err);
    origin->version = version;
    if (status == JTG_OK && version == 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "version 0 is none of QUIC");
    if (status == JTG_OK) /* checks every part of it */
        status = jtgi_endpoint_digest(&origin->endpoint, "", "", digest, err);
    if (status == JTG_OK && !jtgi_host_normalise(origin->endpoint.host, origin->host))
        status = JTG_ERR_ARGUMENT;
    origin->endpoint.host = origin->host;
    return status;
}

static jtg_status begin_at(const jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                           uint32_t version, struct origin *origin, jtg_error *err)
{
    jtg_status status = begin(tokens, err);
    return status == JTG_OK ? read_origin(origin, endpoint, version, err) : status;
}

/* A caller's function may answer with a number that is no status. It must not be taken for one. */
static jtg_status end(jtg_status status, jtg_error *err)
{
    if ((unsigned)status >= JTG_STATUS_COUNT)
        status = JTG_ERR_PROTOCOL;
    (void)jtgi_error_end(status, err);
    if (err != NULL)
        err->status = status;
    return status;
}

/* ---- storing ---- */

static jtg_status check_token(const jtg_quic_tokens *tokens, const jtg_quic_token *token,
                              jtg_quic_fate *fate, jtg_error *err)
{
    if (token->data_len == 0 || token->data == NULL) {
        *fate = JTG_QUIC_EMPTY;
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the token is empty");
    }
    if (token->data_len > tokens->max_token_bytes) {
        *fate = JTG_QUIC_TOO_LONG;
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the token is longer than max_token_bytes");
    }
    if (token->ttl_ms > JTG_TTL_MAX_MS) {
        *fate = JTG_QUIC_BAD_TTL;
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the token's ttl_ms is more than 366 days");
    }
    return JTG_OK;
}

static jtg_status keep(const jtg_quic_tokens *tokens, const struct origin *origin,
                       const jtg_quic_token *token, jtg_quic_fate *fate, jtg_error *err)
{
    uint64_t ttl_ms = token->ttl_ms != 0 ? token->ttl_ms : tokens->ttl_ms;
    jtg_status status = tokens->functions.store(tokens->functions.context, &origin->endpoint,
                                                origin->version, token, ttl_ms, err);
    if (status == JTG_OK)
        *fate = JTG_QUIC_STORED;
    else if (status == JTG_REPLAYED)
        *fate = JTG_QUIC_DUPLICATE;
    else if (status == JTG_ERR_CONTINUITY)
        *fate = JTG_QUIC_MAY_BE_FORGOTTEN;
    return status == JTG_REPLAYED ? JTG_OK : status;
}

static jtg_status store(const jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                        uint32_t version, const jtg_quic_token *given, jtg_quic_fate *fate,
                        jtg_error *err)
{
    struct origin origin;
    jtg_quic_token token;
    jtg_status status = jtgi_quic_token_read(&token, given, err);
    if (status == JTG_OK)
        status = check_token(tokens, &token, fate, err);
    if (status != JTG_OK)
        return status;
    status = read_origin(&origin, endpoint, version, err);
    if (status != JTG_OK) {
        *fate = JTG_QUIC_BAD_ORIGIN;
        return status;
    }
    return keep(tokens, &origin, &token, fate, err);
}

jtg_status jtg_quic_tokens_store(jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                                 uint32_t version, const jtg_quic_token *token, jtg_quic_fate *fate,
                                 jtg_error *err)
{
    jtg_quic_fate made = JTG_QUIC_NOT_STORED;
    jtg_status status = begin(tokens, err);
    if (status == JTG_OK)
        status = store(tokens, endpoint, version, token, &made, err);
    if (fate != NULL)
        *fate = made;
    return end(status, err);
}

/* ---- handing out ---- */

typedef jtg_status (*giver)(void *context, const jtg_endpoint *endpoint, uint32_t version,
                            jtg_quic_token *token, jtg_error *err);

/* token is set only with JTG_OK. */
static jtg_status give(const jtg_quic_tokens *tokens, giver function, const struct origin *origin,
                       jtg_quic_token *token, jtg_error *err)
{
    jtg_quic_token made = no_token;
    jtg_status status =
        function(tokens->functions.context, &origin->endpoint, origin->version, &made, err);
    if (status == JTG_OK && (made.data == NULL || made.data_len == 0))
        status = JTG_ERR_PROTOCOL;
    if (status == JTG_OK)
        jtgi_quic_give_token(token, &made);
    else
        jtg_quic_token_clear(&made);
    return status;
}

static jtg_status hand_out(const jtg_quic_tokens *tokens, giver function,
                           const jtg_endpoint *endpoint, uint32_t version, jtg_quic_token *token,
                           jtg_error *err)
{
    struct origin origin;
    if (!jtgi_quic_is_token(token))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "token: struct_size is not set");
    jtgi_quic_give_token(token, &no_token);
    jtg_status status = read_origin(&origin, endpoint, version, err);
    return status == JTG_OK ? give(tokens, function, &origin, token, err) : status;
}

jtg_status jtg_quic_tokens_lookup(jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                                  uint32_t version, jtg_quic_token *token, jtg_error *err)
{
    jtg_status status = begin(tokens, err);
    if (status == JTG_OK)
        status = hand_out(tokens, tokens->functions.lookup, endpoint, version, token, err);
    return end(status, err);
}

jtg_status jtg_quic_tokens_take(jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                                uint32_t version, jtg_quic_token *token, jtg_error *err)
{
    jtg_status status = begin(tokens, err);
    if (status == JTG_OK)
        status = hand_out(tokens, tokens->functions.take, endpoint, version, token, err);
    return end(status, err);
}

static jtg_status load_token(const jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                             uint32_t version, jtg_quic_token *token, jtg_quic_load *load,
                             jtg_error *err)
{
    struct origin origin;
    jtg_status status = begin_at(tokens, endpoint, version, &origin, err);
    if (status == JTG_OK)
        status = give(tokens, tokens->functions.take, &origin, token, err);
    if (status == JTG_OK)
        *load = JTG_QUIC_LOAD_LOADED;
    if (status != JTG_NOT_FOUND)
        return status;
    *load = JTG_QUIC_LOAD_MISS;
    return JTG_OK;
}

jtg_status jtg_quic_tokens_maybe_load(jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                                      uint32_t version, jtg_quic_token *token, jtg_quic_load *load,
                                      jtg_error *err)
{
    jtg_quic_load made = JTG_QUIC_LOAD_FAILED;
    jtg_status status = JTG_OK;
    jtgi_error_begin(err);
    if (!jtgi_quic_is_token(token))
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "token: struct_size is not set");
    else if (token->data_len != 0)
        made = JTG_QUIC_LOAD_ALREADY;
    else if (tokens == NULL)
        made = JTG_QUIC_LOAD_NO_CACHE;
    else
        status = load_token(tokens, endpoint, version, token, &made, err);
    if (load != NULL)
        *load = made;
    return end(status, err);
}

/* ---- removing, counting ---- */

jtg_status jtg_quic_tokens_remove(jtg_quic_tokens *tokens, const jtg_endpoint *endpoint,
                                  uint32_t version, jtg_error *err)
{
    struct origin origin;
    jtg_status status = begin_at(tokens, endpoint, version, &origin, err);
    if (status == JTG_OK)
        status = tokens->functions.remove(tokens->functions.context, &origin.endpoint,
                                          origin.version, err);
    return end(status, err);
}

static jtg_status say_unsupported(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0, "the caller's functions do not offer it");
}

jtg_status jtg_quic_tokens_clear(jtg_quic_tokens *tokens, jtg_error *err)
{
    jtg_status status = begin(tokens, err);
    if (status == JTG_OK)
        status = tokens->functions.clear == NULL
                     ? say_unsupported(err)
                     : tokens->functions.clear(tokens->functions.context, err);
    return end(status, err);
}

typedef jtg_status (*counter)(void *context, uint64_t *origins, jtg_error *err);

static jtg_status count(const jtg_quic_tokens *tokens, counter function, uint64_t *origins,
                        jtg_error *err)
{
    uint64_t counted = 0;
    if (function == NULL)
        return say_unsupported(err);
    jtg_status status = function(tokens->functions.context, &counted, err);
    if (status == JTG_OK && origins != NULL)
        *origins = counted;
    return status;
}

jtg_status jtg_quic_tokens_size(jtg_quic_tokens *tokens, uint64_t *origins, jtg_error *err)
{
    jtg_status status = begin(tokens, err);
    if (status == JTG_OK && origins == NULL)
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "origins is NULL");
    if (status == JTG_OK)
        status = count(tokens, tokens->functions.size, origins, err);
    return end(status, err);
}

jtg_status jtg_quic_tokens_prune(jtg_quic_tokens *tokens, uint64_t *origins, jtg_error *err)
{
    jtg_status status = begin(tokens, err);
    if (status == JTG_OK)
        status = count(tokens, tokens->functions.prune, origins, err);
    return end(status, err);
}
