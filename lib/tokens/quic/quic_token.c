/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/quic/quic_token.h"

#include "core/alloc.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <string.h>

/* The size of the first release; a shorter struct was never ours. */
#define OLDEST_SIZE sizeof(jtg_quic_token)

#define ROW_NAME(symbol, value, name, text) [value] = (name),
#define ROW_TEXT(symbol, value, name, text) [value] = (text),
static const char *const names[JTG_QUIC_FATE_COUNT] = {JTG_QUIC_FATE_MAP(ROW_NAME)};
static const char *const texts[JTG_QUIC_FATE_COUNT] = {JTG_QUIC_FATE_MAP(ROW_TEXT)};

static const jtg_quic_token no_token = JTG_QUIC_TOKEN_INIT;

/* ---- fates ---- */

const char *jtg_quic_fate_name(jtg_quic_fate fate)
{
    return (unsigned)fate < JTG_QUIC_FATE_COUNT ? names[fate] : "unknown";
}

const char *jtg_quic_fate_text(jtg_quic_fate fate)
{
    return (unsigned)fate < JTG_QUIC_FATE_COUNT ? texts[fate] : "unknown";
}

/* ---- tokens ---- */

bool jtgi_quic_is_token(const jtg_quic_token *token)
{
    return token != NULL && jtgi_struct_size_ok(token->struct_size, OLDEST_SIZE);
}

void jtgi_quic_give_token(jtg_quic_token *token, const jtg_quic_token *made)
{
    jtgi_struct_give(token, made, sizeof *made);
}

jtg_status jtgi_quic_token_read(jtg_quic_token *token, const jtg_quic_token *given, jtg_error *err)
{
    *token = no_token;
    if (given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "token is NULL");
    return jtg_struct_read(token, sizeof *token, OLDEST_SIZE, given, "token", err);
}

void jtg_quic_token_clear(jtg_quic_token *token)
{
    if (!jtgi_quic_is_token(token))
        return;
    jtgi_free_wiped(token->storage, token->storage_len);
    jtgi_quic_give_token(token, &no_token);
}

jtg_status jtg_quic_token_set(jtg_quic_token *token, const void *data, size_t data_len,
                              uint64_t rtt_us)
{
    jtg_quic_token made = no_token;
    if (!jtgi_quic_is_token(token) || token->storage != NULL || data == NULL || data_len == 0 ||
        data_len > JTG_QUIC_TOKEN_BYTES_LIMIT)
        return JTG_ERR_ARGUMENT;
    made.storage = jtgi_alloc(data_len);
    if (made.storage == NULL)
        return JTG_ERR_MEMORY;
    memcpy(made.storage, data, data_len);
    made.storage_len = data_len;
    made.data = made.storage;
    made.data_len = data_len;
    made.rtt_us = rtt_us;
    jtgi_quic_give_token(token, &made);
    return JTG_OK;
}
