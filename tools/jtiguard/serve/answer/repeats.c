/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/repeats.h"

#include <stdio.h>
#include <string.h>

static bool is_free(const struct repeats *repeats, unsigned at)
{
    return repeats->texts[at].text[0] == '\0';
}

/* The place of a text, or the one to take for it: a free one, or the one that was said longest ago,
 * which is forgotten. */
static unsigned place_of(const struct repeats *repeats, const char *text)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < REPEATS_TEXTS; i++) {
        if (strncmp(repeats->texts[i].text, text, REPEATS_TEXT_BYTES - 1) == 0)
            return i;
        if (!is_free(repeats, oldest) &&
            (is_free(repeats, i) || repeats->texts[i].said_ns < repeats->texts[oldest].said_ns))
            oldest = i;
    }
    return oldest;
}

bool repeats_say(struct repeats *repeats, const char *text, int64_t now_ns, uint64_t *left_out)
{
    unsigned at = place_of(repeats, text);
    bool known = strncmp(repeats->texts[at].text, text, REPEATS_TEXT_BYTES - 1) == 0;
    *left_out = 0;
    if (known && now_ns - repeats->texts[at].said_ns < REPEATS_SILENT_S * INT64_C(1000000000)) {
        repeats->texts[at].left_out++;
        return false;
    }
    if (known)
        *left_out = repeats->texts[at].left_out;
    (void)snprintf(repeats->texts[at].text, REPEATS_TEXT_BYTES, "%s", text);
    repeats->texts[at].said_ns = now_ns;
    repeats->texts[at].left_out = 0;
    return true;
}
