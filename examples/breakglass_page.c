/* SPDX-License-Identifier: Apache-2.0 */
/* An emergency door: an operator is given a token, a page lets in whoever shows it, and every step
 * is noted.
 *
 * The memory store and a key of the process's own make the token end with the process. With several
 * instances take a Redis and give all of them one key: see docs/breakglass.md. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <string.h>

/* Your audit: who asked is what you know beside it. */
static void audit(void *context, const jtg_breakglass_audit *entry)
{
    (void)context;
    printf("  audit: %s %s\n", jtg_breakglass_event_name(entry->event),
           jtg_breakglass_outcome_name(entry->outcome));
}

/* What your page does with a token that somebody typed in. */
static int open_door(jtg_breakglass *breakglass, const char *typed)
{
    jtg_error err = JTG_ERROR_INIT;
    switch (jtg_breakglass_lookup(breakglass, typed, strlen(typed), NULL, &err)) {
    case JTG_OK:
        printf("the door is open\n");
        return 1;
    case JTG_NOT_FOUND: /* one answer for all tokens that do not fit, and no reason */
        printf("no entry\n");
        return 0;
    default: /* the store cannot be asked: the door stays closed */
        printf("try later: %s\n", jtg_status_name(err.status));
        return 0;
    }
}

static int run(jtg_breakglass *breakglass)
{
    char token[JTG_BREAKGLASS_TEXT_BYTES];
    char other[JTG_BREAKGLASS_TEXT_BYTES];
    if (jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_IF_NONE, token, NULL, NULL) != JTG_OK)
        return 1;
    /* Here the operator is shown the token: the only copy of it. */
    if (jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_IF_NONE, other, NULL, NULL) == JTG_OK)
        return 1;
    int opened = open_door(breakglass, "a guess") + open_door(breakglass, token) +
                 open_door(breakglass, token) + open_door(breakglass, token);
    memset(token, 0, sizeof token);
    return opened == 2 ? 0 : 1;
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_breakglass *breakglass = NULL;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    options.ttl_ms = 900000; /* a quarter of an hour */
    options.max_uses = 2;
    options.audit = audit;
    if (jtg_memory_new(&cache, NULL, NULL) != JTG_OK ||
        jtg_breakglass_new(&breakglass, cache, &options, NULL) != JTG_OK) {
        fprintf(stderr, "no break-glass\n");
        jtg_cache_free(cache);
        return 1;
    }
    int code = run(breakglass);
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);
    return code;
}
