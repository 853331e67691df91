/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stdlib.h>

void settings_init(struct settings *settings)
{
    const char *store = getenv("JTIGUARD_STORE");
    *settings = (struct settings){
        .store = store != NULL && *store != '\0' ? store : NULL,
        .guard = JTG_GUARD_OPTIONS_INIT,
        .memory = JTG_MEMORY_OPTIONS_INIT,
        .now_ms = JTG_TIME_ABSENT,
        .since_ms = JTG_TIME_ABSENT,
        .claims = JTG_CLAIMS_INIT,
        .threads = TOOL_THREADS_DEFAULT,
        .max_line_bytes = TOOL_LINE_BYTES_DEFAULT,
        .ticket_keys.margin_s = TOOL_MARGIN_NOT_GIVEN,
    };
    settings->memory.max_entries = 0;
}

const char *settings_conflict(const struct settings *settings)
{
    const jtg_claims *claims = &settings->claims;
    if ((claims->kind == JTG_KIND_CUSTOM) != (claims->custom_kind.data_len > 0))
        return "--kind custom and --custom-kind go together";
    if (settings->ttl_s > 0 && claims->exp_ms != JTG_TIME_ABSENT)
        return "--ttl and --exp do not go together";
    return NULL;
}

bool settings_give_claims(const struct settings *settings)
{
    const jtg_claims *claims = &settings->claims;
    bool texts = claims->issuer.data_len + claims->client.data_len + claims->thumbprint.data_len +
                     claims->jti.data_len >
                 0;
    return texts || settings->ttl_s > 0 || claims->iat_ms != JTG_TIME_ABSENT ||
           claims->nbf_ms != JTG_TIME_ABSENT || claims->exp_ms != JTG_TIME_ABSENT;
}
