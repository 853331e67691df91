/* SPDX-License-Identifier: Apache-2.0 */
#include "host/bitmaps.h"

#include "core/digest.h"
#include "host/keeping.h"
#include "host/sweep.h"

#include <string.h>

enum { BITS_OF_BYTE = 8 };

/* What every bitmap begins as. Never written; it takes no place in the file of the library. */
static unsigned char none_taken[JTG_BITMAP_MAX_BITS / BITS_OF_BYTE];

/* Under which value a bitmap lies: a digest, so that no value of the caller's meets it. */
static jtg_key find_place(const jtg_key *key, unsigned char bytes[JTGI_DIGEST_BYTES])
{
    jtgi_digest_labelled("jtiguard bitmap 1", key->data, key->data_len, bytes);
    return (jtg_key){bytes, JTGI_DIGEST_BYTES, NULL, 0};
}

/* ---- put ---- */

static jtg_status put_inside(const struct jtgi_host_visit *visit, const jtg_key *place,
                             uint32_t bits, uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    size_t bytes = ((size_t)bits + BITS_OF_BYTE - 1) / BITS_OF_BYTE;
    jtg_status status = jtgi_table_check_end(visit->now, ttl_ms, err);
    if (status == JTG_OK)
        status = jtgi_host_check_since(visit, kept_since_ms, err);
    if (status == JTG_OK)
        status = jtgi_value_area_swap(visit->at->values, place, NULL, 0, none_taken, bytes,
                                      visit->now, ttl_ms);
    return status == JTG_MISMATCH ? JTG_REPLAYED : status;
}

jtg_status jtgi_host_bitmap_put(jtg_cache *self, const jtg_key *key, uint32_t bits, uint64_t ttl_ms,
                                int64_t kept_since_ms, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    unsigned char digest[JTGI_DIGEST_BYTES];
    jtg_key place = find_place(key, digest);
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        status = put_inside(&visit, &place, bits, ttl_ms, kept_since_ms, err);
        jtgi_host_sweep_if_due(&visit);
    } while (jtgi_host_visit_leave(&visit, status));
    return status;
}

/* ---- take ---- */

static jtg_status say_broken(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                         "host store: a bitmap in it is broken: a stray write");
}

/* "Blocked" would say that nothing was done. */
static jtg_status say_unknown(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_TIMEOUT, 0,
                         "host store: it was taken; what was kept before is not known");
}

/* Before, for what is refused is not taken; and behind, for it may have been lost meanwhile. */
static jtg_status take_one(const struct jtgi_host_visit *visit, const jtg_bitmap_call *call)
{
    unsigned char digest[JTGI_DIGEST_BYTES];
    jtg_error unasked = JTG_ERROR_INIT;
    jtg_error *err = call->err != NULL ? call->err : &unasked;
    jtg_key place = find_place(&call->key, digest);
    jtg_status status = jtgi_host_check_since(visit, call->kept_since_ms, err);
    if (status == JTG_OK)
        status = jtgi_value_area_set_bit(visit->at->values, &place, call->bit, visit->now);
    if (status == JTG_ERR_UNSAFE)
        return say_broken(err);
    if (status != JTG_OK)
        return status;
    status = jtgi_host_check_since(visit, call->kept_since_ms, err);
    return status == JTG_ERR_BLOCKED ? say_unknown(err) : status;
}

/* In one file; those that it answers as blocked come first afterwards. One that was blocked has
 * waited for all. */
static size_t take_here(const struct jtgi_host_visit *visit, jtg_bitmap_call **calls, size_t count)
{
    size_t blocked = 0;
    for (size_t i = 0; i < count; i++) {
        calls[i]->status = blocked > 0 ? JTG_ERR_BLOCKED : take_one(visit, calls[i]);
        if (calls[i]->status == JTG_ERR_BLOCKED)
            calls[blocked++] = calls[i];
    }
    return blocked;
}

static void refuse_all(jtg_bitmap_call *const *calls, size_t count, jtg_status status,
                       const jtg_error *why)
{
    for (size_t i = 0; i < count; i++)
        calls[i]->status = jtg_error_set(calls[i]->err, status, why->system_errno, "%s", why->text);
}

void jtgi_host_bitmap_take_many(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_bitmap_call *left[JTG_MANY_MAX];
    memcpy(left, calls, count * sizeof(jtg_bitmap_call *));
    do {
        jtg_error err = JTG_ERROR_INIT;
        jtg_status status = jtgi_host_visit_enter(&visit, self, &err);
        if (status != JTG_OK) {
            refuse_all(left, count, status, &err);
            return;
        }
        count = take_here(&visit, left, count);
        jtgi_host_sweep_if_due(&visit);
    } while (jtgi_host_visit_leave(&visit, count > 0 ? JTG_ERR_BLOCKED : JTG_OK));
}
