/* SPDX-License-Identifier: Apache-2.0 */
/* A guard on its store, made from the settings. */
#ifndef TOOL_GUARDING_H
#define TOOL_GUARDING_H

#include "exit_code.h"
#include "settings.h"

/* Where time stands with --now. */
struct frozen {
    int64_t monotonic_ms;
    int64_t wall_ms;
};

struct guarding {
    struct frozen frozen;
    jtg_clock clock;
    jtg_cache *cache;
    jtg_guard *guard;
};

/* EXIT_ADMITTED, or the reason was said on stderr and there is nothing to close. The struct must
 * not move while it is open. */
enum exit_code guarding_open(struct guarding *guarding, const struct settings *settings);
void guarding_close(struct guarding *guarding);

int64_t guarding_now_ms(const struct guarding *guarding);

#endif
