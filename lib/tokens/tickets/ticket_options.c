/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket_options.h"
#include "tokens/common/key_file.h"

#include "core/options.h"
#include "core/range.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

/* The size of the first release; a shorter struct was never ours. */
#define OLDEST_SIZE sizeof(jtg_ticket_options)

void jtg_ticket_options_init(jtg_ticket_options *options)
{
    static const jtg_ticket_options defaults = JTG_TICKET_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status check_ranges(const jtg_ticket_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"rotation_ms", options->rotation_ms, JTG_TICKET_ROTATION_MS_LEAST,
         JTG_TICKET_ROTATION_MS_LIMIT},
        {"ticket_lifetime_s", options->ticket_lifetime_s, 1, JTG_TICKET_LIFETIME_S_LIMIT},
        {"publish_lead_ms", options->publish_lead_ms, 1, options->rotation_ms},
        {"refresh_interval_ms", options->refresh_interval_ms, 1, options->publish_lead_ms},
        {"margin_ms", options->margin_ms, 0, options->rotation_ms},
        {"max_seals", options->max_seals, 1, JTG_TICKET_MAX_SEALS_LIMIT},
        {"single_instance", options->single_instance, 0, 1},
        {"refresh_on_use", options->refresh_on_use, 0, 1},
    };
    return jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
}

/* One that seals, one before it that may still, the next one, those that only open, and one by
 * which the times of two instances are apart. */
static uint64_t keys_needed(const jtg_ticket_options *options)
{
    uint64_t lives_ms = 3 * (uint64_t)options->rotation_ms +
                        1000 * (uint64_t)options->ticket_lifetime_s +
                        2 * (uint64_t)options->margin_ms;
    return (lives_ms + options->rotation_ms - 1) / options->rotation_ms + 1;
}

static jtg_status check_together(const jtg_ticket_options *options, jtg_error *err)
{
    if (options->single_instance == 0 &&
        options->publish_lead_ms <= (uint64_t)options->refresh_interval_ms + options->margin_ms)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "publish_lead_ms is not more than refresh_interval_ms + margin_ms");
    if (keys_needed(options) > JTG_TICKET_KEYS_MAX)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "ticket_lifetime_s and rotation_ms need more than %d keys",
                             JTG_TICKET_KEYS_MAX);
    if (options->kek_file == NULL && options->single_instance == 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "kek_file: needed, or single_instance");
    if (options->kek_file == NULL && options->kek_file_other != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "kek_file_other without kek_file");
    return JTG_OK;
}

static jtg_status check_zone(const char *zone, jtg_error *err)
{
    size_t len = strnlen(zone, JTG_TICKET_ZONE_MAX_BYTES + 1);
    bool good = len != 0 && len <= JTG_TICKET_ZONE_MAX_BYTES;
    for (size_t i = 0; good && i < len; i++)
        good = zone[i] > 0x20 && zone[i] < 0x7f;
    return good ? JTG_OK
                : jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "zone does not have 1 to %d %s",
                                JTG_TICKET_ZONE_MAX_BYTES, "printable bytes");
}

jtg_status jtgi_ticket_options_read(jtg_ticket_options *options, const jtg_ticket_options *given,
                                    jtg_error *err)
{
    jtg_ticket_options_init(options);
    jtg_status status =
        jtg_struct_read(options, sizeof *options, OLDEST_SIZE, given, "ticket options", err);
    if (options->zone == NULL)
        options->zone = JTG_TICKET_ZONE_DEFAULT;
    if (status == JTG_OK)
        status = check_ranges(options, err);
    if (status == JTG_OK)
        status = check_together(options, err);
    if (status == JTG_OK)
        status = check_zone(options->zone, err);
    return status;
}

struct jtgi_key_schedule jtgi_ticket_options_schedule(const jtg_ticket_options *options)
{
    bool single = options->single_instance != 0;
    struct jtgi_key_schedule schedule = {
        .rotation_ms = options->rotation_ms,
        .lifetime_ms = 1000 * (int64_t)options->ticket_lifetime_s,
        .lead_ms = single ? 0 : options->publish_lead_ms,
        .margin_ms = single ? 0 : options->margin_ms,
    };
    return schedule;
}

static jtg_status add_kek_file(struct jtgi_wrapper *wrapper, const char *path, const char *what,
                               jtg_error *err)
{
    unsigned char kek[JTGI_SECRET_BYTES];
    if (path == NULL)
        return JTG_OK;
    jtg_status status = jtgi_key_file_read(path, what, kek, err);
    if (status == JTG_OK)
        status = jtgi_wrapper_add(wrapper, kek);
    sodium_memzero(kek, sizeof kek);
    return status;
}

jtg_status jtgi_ticket_options_wrapper(struct jtgi_wrapper *wrapper,
                                       const jtg_ticket_options *options, jtg_error *err)
{
    unsigned char kek[JTGI_SECRET_BYTES];
    wrapper->kek_count = 0;
    wrapper->zone_len = strlen(options->zone);
    memcpy(wrapper->zone, options->zone, wrapper->zone_len);
    jtg_status status = add_kek_file(wrapper, options->kek_file, "kek_file", err);
    if (status == JTG_OK)
        status = add_kek_file(wrapper, options->kek_file_other, "kek_file_other", err);
    if (status != JTG_OK || wrapper->kek_count != 0)
        return status;
    randombytes_buf(kek, sizeof kek);
    status = jtgi_wrapper_add(wrapper, kek);
    sodium_memzero(kek, sizeof kek);
    return status;
}
