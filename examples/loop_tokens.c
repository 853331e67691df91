/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_tokens.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TOKENS = 8 };

bool loop_tokens_open(struct loop_tokens *tokens, const char *uri)
{
    jtg_error err = JTG_ERROR_INIT;
    memset(tokens, 0, sizeof *tokens);
    jtg_status status = uri == NULL ? jtg_memory_new(&tokens->cache, NULL, &err)
                                    : jtg_redis_new_uri(&tokens->cache, uri, &err);
    if (status == JTG_OK)
        status = jtg_guard_new(&tokens->guard, tokens->cache, NULL, &err);
    if (status == JTG_OK)
        status = jtg_async_new(&tokens->async, tokens->guard, &err);
    if (status != JTG_OK)
        fprintf(stderr, "%s\n", err.text);
    return status == JTG_OK;
}

/* Only this admits: anything else refuses, whatever the reason. */
static void finish(struct loop_tokens *tokens, const jtg_async_result *result)
{
    if (result->admitted)
        tokens->admitted++;
    else if (result->decision.reason == JTG_REASON_REPLAYED)
        tokens->refused++;
    else
        fprintf(stderr, "%s: %s\n", jtg_reason_name(result->decision.reason), result->err.text);
}

static void arrive(struct loop_tokens *tokens, const char *jti)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    jtg_claims claims = JTG_CLAIMS_INIT;
    jtg_async_result result = JTG_ASYNC_RESULT_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = (jtg_text){"https://id.example.com", 22};
    claims.audience = (jtg_text){"timesheets", 10};
    claims.jti = (jtg_text){jti, strlen(jti)};
    claims.iat_ms = now_ms - 1000;
    claims.exp_ms = now_ms + 300000;
    if (jtg_async_admit(tokens->async, &claims, NULL, &result) == JTG_TICKET_NONE)
        finish(tokens, &result);
    else
        tokens->waiting++;
}

void loop_tokens_arrive(struct loop_tokens *tokens)
{
    char jti[32];
    for (unsigned i = 0; i < 2 * TOKENS; i++) {
        (void)snprintf(jti, sizeof jti, "5c3e8f10-%u", i % TOKENS);
        arrive(tokens, jti);
    }
}

bool loop_tokens_go_on(struct loop_tokens *tokens)
{
    jtg_async_result result;
    jtg_async_process(tokens->async);
    while (jtg_async_next(tokens->async, &result)) {
        tokens->waiting--;
        finish(tokens, &result);
    }
    return tokens->waiting > 0;
}

int loop_tokens_close(struct loop_tokens *tokens)
{
    jtg_async_free(tokens->async);
    jtg_guard_free(tokens->guard);
    jtg_cache_free(tokens->cache);
    printf("%u admitted, %u replayed\n", tokens->admitted, tokens->refused);
    return tokens->admitted == TOKENS && tokens->refused == TOKENS ? 0 : 1;
}
