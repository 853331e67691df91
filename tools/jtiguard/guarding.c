/* SPDX-License-Identifier: Apache-2.0 */
/* With --now both clocks stand. Were the monotonic one to go on, the guard would see the wall
 * clock fall behind it, take it for set back, and rightly refuse. */
#include "guarding.h"

#include "message.h"
#include "store.h"

static int64_t frozen_monotonic_ms(void *context)
{
    return ((const struct frozen *)context)->monotonic_ms;
}

static int64_t frozen_wall_ms(void *context)
{
    return ((const struct frozen *)context)->wall_ms;
}

static void set_clock(struct guarding *guarding, int64_t now_ms)
{
    guarding->clock = jtg_clock_system();
    if (now_ms == JTG_TIME_ABSENT)
        return;
    guarding->frozen =
        (struct frozen){guarding->clock.monotonic_ms(guarding->clock.context), now_ms};
    guarding->clock =
        (jtg_clock){sizeof(jtg_clock), &guarding->frozen, frozen_monotonic_ms, frozen_wall_ms};
}

enum exit_code guarding_open(struct guarding *guarding, const struct settings *settings)
{
    *guarding = (struct guarding){.cache = NULL};
    set_clock(guarding, settings->now_ms);
    enum exit_code code = store_open(&guarding->cache, settings, &guarding->clock);
    if (code != EXIT_ADMITTED)
        return code;

    jtg_error err = JTG_ERROR_INIT;
    jtg_logger logger = message_logger();
    jtg_guard_options options = settings->guard;
    options.clock = &guarding->clock;
    options.logger = &logger;
    jtg_status status = jtg_guard_new(&guarding->guard, guarding->cache, &options, &err);
    if (status == JTG_OK)
        return EXIT_ADMITTED;
    complain("cannot make the guard: %s", err.text[0] != '\0' ? err.text : jtg_status_text(status));
    guarding_close(guarding);
    return status == JTG_ERR_ARGUMENT ? EXIT_USAGE : EXIT_TROUBLE;
}

void guarding_close(struct guarding *guarding)
{
    jtg_guard_free(guarding->guard);
    jtg_cache_free(guarding->cache);
    guarding->guard = NULL;
    guarding->cache = NULL;
}

int64_t guarding_now_ms(const struct guarding *guarding)
{
    return guarding->clock.wall_ms(guarding->clock.context);
}
