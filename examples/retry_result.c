/* SPDX-License-Identifier: Apache-2.0 */
/* A refresh token is rotated, the answer is lost, and the client asks again: it gets the token that
 * the first try made. Whoever else shows the used token is refused. */
#include "rotation.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static bool refresh(const struct rotation *rotation, const char *jti, const char *right, char *next)
{
    struct rotation_request request = {"https://as.example.com", "https://as.example.com/token",
                                       jti, ((int64_t)time(NULL) + 3600) * 1000, right};
    jtg_reason reason = rotation_next(rotation, &request, next);
    printf("%s: %s\n", right, jtg_reason_name(reason));
    return reason == JTG_REASON_ADMITTED;
}

static bool show(const struct rotation *rotation)
{
    char first[ROTATION_ID_SIZE];
    char again[ROTATION_ID_SIZE];
    char other[ROTATION_ID_SIZE];
    if (!refresh(rotation, "rt-1", "key of the client", first) ||
        !refresh(rotation, "rt-1", "key of the client", again) ||
        refresh(rotation, "rt-1", "key of a thief", other))
        return false;
    bool same = strcmp(first, again) == 0;
    printf("both tries got %s token\n", same ? "the same" : "another");

    /* The token that follows is used once as well, whichever copy of it is shown. */
    return same && refresh(rotation, first, "key of the client", other) &&
           !refresh(rotation, again, "key of a thief", other);
}

int main(void)
{
    struct rotation rotation = {NULL, NULL};
    bool good = jtg_memory_new(&rotation.cache, NULL, NULL) == JTG_OK &&
                jtg_guard_new(&rotation.guard, rotation.cache, NULL, NULL) == JTG_OK &&
                show(&rotation);
    jtg_guard_free(rotation.guard);
    jtg_cache_free(rotation.cache);
    return good ? 0 : 1;
}
