/* SPDX-License-Identifier: Apache-2.0 */
/* A place is one value in the cache, and every change replaces it in one step of the cache: so
 * there is one token at most, whoever issues, and no lock here. What counts a use or ends a token
 * is written by compare and swap against the bytes that it was decided by; no two records that a
 * place ever holds are equal, for each has a random tag, or uses that only grow.
 *
 * The attack on a lookup: to learn from its time whether a token is active, or how near a guess
 * came. Against it there is always a record to read, of one size; the digest is made and compared
 * whatever it says; and what becomes of the comparison is chosen by masks.
 * tests/package/check-timing counts the instructions. A match with a limit of uses takes longer,
 * for it writes; its answer says as much.
 */
#include "tokens/breakglass/breakglass_options.h"
#include "tokens/breakglass/breakglass_record.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/object.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

enum {
    /* A round that is lost is a change by somebody else, and uses are bounded: as good as only a
     * store that lies about a swap comes here. */
    ROUNDS_MAX = 10000,
    PLACE_MAX_BYTES = 8 + JTG_BREAKGLASS_NAME_MAX_BYTES
};

#define INFO_OLDEST_SIZE sizeof(jtg_breakglass_info)

struct jtg_breakglass {
    struct jtgi_object base;
    jtg_cache *cache; /* borrowed */
    struct jtgi_breakglass_sealer sealer;
    unsigned char *key; /* secret memory */
    uint64_t ttl_ms;
    uint32_t max_uses;
    bool watches; /* the store says since when it has kept everything */
    void (*audit)(void *context, const jtg_breakglass_audit *entry);
    void *audit_context;
    jtg_key place;
    char place_bytes[PLACE_MAX_BYTES];
};

/* ---- life ---- */

static void name_place(jtg_breakglass *breakglass, const char *name)
{
    static const char start[] = "jtg:bg1:";
    struct jtgi_breakglass_sealer *sealer = &breakglass->sealer;
    size_t start_len = sizeof start - 1;
    sealer->name_len = strlen(name);
    memcpy(sealer->name, name, sealer->name_len);
    memcpy(breakglass->place_bytes, start, start_len);
    memcpy(breakglass->place_bytes + start_len, name, sealer->name_len);
    breakglass->place = (jtg_key){breakglass->place_bytes, start_len + sealer->name_len, NULL, 0};
}

static jtg_status set_key(jtg_breakglass *breakglass, const void *key, jtg_error *err)
{
    breakglass->key = jtgi_secret_alloc(JTG_BREAKGLASS_KEY_BYTES);
    if (breakglass->key == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the key");
    if (key != NULL)
        memcpy(breakglass->key, key, JTG_BREAKGLASS_KEY_BYTES);
    else
        randombytes_buf(breakglass->key, JTG_BREAKGLASS_KEY_BYTES);
    breakglass->sealer.key = breakglass->key;
    jtgi_breakglass_sealer_init(&breakglass->sealer);
    return JTG_OK;
}

static jtg_status set_up(jtg_breakglass *breakglass, const jtg_breakglass_options *given,
                         jtg_error *err)
{
    jtg_breakglass_options options;
    jtg_status status = jtgi_breakglass_options_read(&options, given, err);
    if (status == JTG_OK)
        status = jtgi_object_begin(&breakglass->base, options.clock, NULL, 0, err);
    if (status != JTG_OK)
        return status;
    breakglass->watches = jtg_cache_watches(breakglass->cache) != 0;
    breakglass->ttl_ms = options.ttl_ms;
    breakglass->max_uses = options.max_uses;
    breakglass->audit = options.audit;
    breakglass->audit_context = options.audit_context;
    name_place(breakglass, options.name);
    return set_key(breakglass, options.key, err);
}

jtg_status jtg_breakglass_new(jtg_breakglass **breakglass, jtg_cache *cache,
                              const jtg_breakglass_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (breakglass == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the object");
    *breakglass = NULL;
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    jtg_breakglass *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the object");
    made->cache = cache;
    jtg_status status = set_up(made, options, err);
    if (status != JTG_OK) {
        jtg_breakglass_free(made);
        return status;
    }
    *breakglass = made;
    return JTG_OK;
}

void jtg_breakglass_free(jtg_breakglass *breakglass)
{
    if (breakglass == NULL)
        return;
    jtgi_secret_free(breakglass->key);
    jtgi_free_wiped(breakglass, sizeof *breakglass);
}

/* ---- answers without branches ---- */

/* 1 or 0, of which the compiler knows nothing: it could else make a branch of the arithmetic below.
 */
static unsigned hidden(bool yes)
{
    unsigned number = yes;
    __asm__("" : "+r"(number));
    return number;
}

/* ---- one call ---- */

struct call {
    jtg_breakglass *breakglass;
    jtg_error *err;
    jtg_error unasked;
    int64_t wall_ms;
    jtg_breakglass_outcome outcome;

    /* What was read last. */
    struct jtgi_breakglass_record record;
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES];
    bool absent; /* the store had none; record is vacant then */
    uint64_t left_ms;
    int64_t asked_monotonic_ms;
    int64_t epoch; /* the store's word after the reading; 0 where it does not say */
};

static jtg_status begin(struct call *call, jtg_breakglass *breakglass, jtg_error *err)
{
    call->breakglass = breakglass;
    call->err = err != NULL ? err : &call->unasked;
    call->outcome = JTG_BREAKGLASS_FAILED;
    call->wall_ms = 0;
    jtgi_error_begin(call->err);
    if (breakglass == NULL)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "breakglass is NULL");
    call->wall_ms = jtgi_clock_wall_ms(&breakglass->base.clock);
    jtg_status status = jtgi_object_check(&breakglass->base, "the object was", call->err);
    if (status != JTG_OK)
        return status;
    if (call->wall_ms < 0 || call->wall_ms > JTGI_WALL_MAX_MS)
        return jtg_error_set(call->err, JTG_ERR_SYSTEM, 0, "the clock gives no usable time");
    return JTG_OK;
}

static void note(const struct call *call, jtg_breakglass_event event, jtg_status status)
{
    const jtg_breakglass *breakglass = call->breakglass;
    if (breakglass == NULL || breakglass->audit == NULL)
        return;
    jtg_breakglass_audit entry = {sizeof entry, event, call->outcome, status, call->wall_ms};
    breakglass->audit(breakglass->audit_context, &entry);
}

/* A failure is told, unless its cause has been already; a success leaves no text. */
static jtg_status finish(const struct call *call, jtg_status status)
{
    if (status == JTG_OK)
        jtgi_error_begin(call->err);
    else
        (void)jtgi_error_set_status(call->err, status);
    call->err->status = status;
    return status;
}

static jtg_status end(const struct call *call, jtg_breakglass_event event, jtg_status status)
{
    (void)finish(call, status);
    note(call, event, status);
    return status;
}

static bool info_size_ok(const jtg_breakglass_info *info)
{
    return info == NULL || jtgi_struct_size_ok(info->struct_size, INFO_OLDEST_SIZE);
}

static jtg_status refuse_info(struct call *call)
{
    return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "info: struct_size is not set");
}

/* The record's terms where known is true, else zeros. By a mask: see the head of this file. */
static void tell(jtg_breakglass_info *info, const struct call *call, bool known)
{
    const struct jtgi_breakglass_record *record = &call->record;
    uint64_t mask = (uint64_t)0 - (uint64_t)hidden(known);
    if (info == NULL)
        return;
    bool own =
        sodium_memcmp(record->key_id, call->breakglass->sealer.key_id, sizeof record->key_id) == 0;
    jtg_breakglass_info told = {
        .issued_ms = (int64_t)((uint64_t)record->issued_ms & mask),
        .expires_ms = (int64_t)(((uint64_t)record->issued_ms + record->ttl_ms) & mask),
        .max_uses = record->max_uses & mask,
        .uses = record->uses & mask,
        .own_key = (uint64_t)hidden(own) & mask,
    };
    jtgi_struct_give(info, &told, sizeof told);
}

static void tell_nothing(jtg_breakglass_info *info)
{
    static const jtg_breakglass_info nothing = JTG_BREAKGLASS_INFO_INIT;
    if (info == NULL || !info_size_ok(info))
        return;
    jtgi_struct_give(info, &nothing, sizeof nothing);
}

/* ---- the store ---- */

static jtg_status take_value(struct call *call, const jtg_value *value)
{
    call->left_ms = value->ttl_ms;
    if (!jtgi_breakglass_record_read(&call->record, value->data, value->data_len))
        return jtg_error_set(call->err, JTG_ERR_PROTOCOL, 0,
                             "what is stored is no break-glass record; clear removes it");
    memcpy(call->bytes, value->data, sizeof call->bytes);
    return JTG_OK;
}

/* Asked after what it is to vouch for: a loss in between is then in the answer. */
static jtg_status ask_what_is_kept(struct call *call)
{
    int64_t epoch = 0;
    call->epoch = 0;
    if (!call->breakglass->watches)
        return JTG_OK;
    jtg_status status = jtg_cache_epoch(call->breakglass->cache, &epoch, call->err);
    if (status == JTG_OK && epoch > 0)
        call->epoch = epoch;
    return status;
}

/* Read the place. One that was never used, or that the store has lost, is vacant. */
static jtg_status look(struct call *call)
{
    jtg_value value = JTG_VALUE_INIT;
    jtg_breakglass *breakglass = call->breakglass;
    call->asked_monotonic_ms = jtgi_clock_monotonic_ms(&breakglass->base.clock);
    jtgi_error_begin(call->err);
    jtg_status status = jtg_cache_get(breakglass->cache, &breakglass->place, &value, call->err);
    call->absent = status == JTG_NOT_FOUND;
    if (status == JTG_OK) {
        status = take_value(call, &value);
    } else if (call->absent) {
        jtgi_error_begin(call->err);
        jtgi_breakglass_record_vacate(&call->record, &breakglass->sealer);
        call->left_ms = 0;
        status = JTG_OK;
    }
    jtg_value_clear(&value);
    return status == JTG_OK ? ask_what_is_kept(call) : status;
}

/* Put a record in the place of the one that look() read. */
static jtg_status change(struct call *call, const struct jtgi_breakglass_record *record,
                         uint64_t left_ms)
{
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES];
    jtgi_breakglass_record_write(record, bytes);
    return jtg_cache_swap(call->breakglass->cache, &call->breakglass->place,
                          call->absent ? NULL : call->bytes, call->absent ? 0 : sizeof call->bytes,
                          bytes, sizeof bytes, left_ms, call->err);
}

static jtg_status overwrite(struct call *call, const struct jtgi_breakglass_record *record)
{
    unsigned char bytes[JTGI_BREAKGLASS_RECORD_BYTES];
    jtgi_breakglass_record_write(record, bytes);
    return jtg_cache_put(call->breakglass->cache, &call->breakglass->place, bytes, sizeof bytes,
                         JTGI_BREAKGLASS_KEPT_MS, 1, call->err);
}

static jtg_status give_up(const struct call *call)
{
    jtgi_error_begin(call->err);
    return jtg_error_set(call->err, JTG_MISMATCH, 0, "others keep changing the token: ask again");
}

/* Is the record's token active, whoever can check it? */
static bool is_active(const struct call *call)
{
    return call->record.has_token && !jtgi_breakglass_record_is_used_up(&call->record) &&
           !jtgi_breakglass_record_is_unsure(&call->record, call->epoch) &&
           !jtgi_breakglass_record_is_over(&call->record, call->left_ms, call->wall_ms);
}

/* ---- issue ---- */

static jtg_status replace(struct call *call, const struct jtgi_breakglass_record *record)
{
    /* Only for the audit: what cannot be read is replaced all the same. */
    bool was_active = look(call) == JTG_OK && is_active(call);
    jtgi_error_begin(call->err);
    jtg_status status = overwrite(call, record);
    call->outcome = was_active ? JTG_BREAKGLASS_REPLACED : JTG_BREAKGLASS_ISSUED;
    return status;
}

static jtg_status issue_if_none(struct call *call, const struct jtgi_breakglass_record *record)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        jtg_status status = look(call);
        if (status != JTG_OK)
            return status;
        if (is_active(call)) {
            call->outcome = JTG_BREAKGLASS_REFUSED;
            return jtg_error_set(call->err, JTG_MISMATCH, 0, "a token is active");
        }
        call->outcome = JTG_BREAKGLASS_ISSUED;
        status = change(call, record, JTGI_BREAKGLASS_KEPT_MS);
        if (status != JTG_MISMATCH)
            return status;
    }
    return give_up(call);
}

/* The answer to a write was lost. If the record lies there, it was stored. */
static jtg_status settle(struct call *call, const struct jtgi_breakglass_record *record)
{
    jtg_error unknown = *call->err;
    bool stored = look(call) == JTG_OK && !call->absent &&
                  sodium_memcmp(call->record.tag, record->tag, sizeof record->tag) == 0;
    *call->err = unknown;
    return stored ? JTG_OK : JTG_ERR_TIMEOUT;
}

static jtg_status issue(struct call *call, jtg_breakglass_mode mode,
                        const struct jtgi_breakglass_token *token, jtg_breakglass_info *info)
{
    /* Before the token is there: a loss from now on ends it. */
    jtg_status status = ask_what_is_kept(call);
    if (status != JTG_OK)
        return status;
    struct jtgi_breakglass_record record = {
        .has_token = true,
        .max_uses = call->breakglass->max_uses,
        .issued_ms = call->wall_ms,
        .ttl_ms = call->breakglass->ttl_ms,
        .epoch = call->epoch,
    };
    jtgi_breakglass_record_seal(&record, &call->breakglass->sealer, token);
    status = mode == JTG_BREAKGLASS_REPLACE ? replace(call, &record) : issue_if_none(call, &record);
    if (status == JTG_ERR_TIMEOUT)
        status = settle(call, &record);
    if (status == JTG_OK) {
        call->record = record;
        tell(info, call, true);
    } else if (call->outcome != JTG_BREAKGLASS_REFUSED) {
        call->outcome = JTG_BREAKGLASS_FAILED;
    }
    return status;
}

jtg_status jtg_breakglass_issue(jtg_breakglass *breakglass, jtg_breakglass_mode mode,
                                char text[JTG_BREAKGLASS_TEXT_BYTES], jtg_breakglass_info *info,
                                jtg_error *err)
{
    struct call call;
    struct jtgi_breakglass_token token;
    if (text != NULL)
        text[0] = '\0';
    tell_nothing(info);
    jtg_status status = begin(&call, breakglass, err);
    if (status == JTG_OK && text == NULL)
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "no place for the token");
    if (status == JTG_OK && mode != JTG_BREAKGLASS_REPLACE && mode != JTG_BREAKGLASS_IF_NONE)
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "the mode is not known");
    if (status == JTG_OK && !info_size_ok(info))
        status = refuse_info(&call);
    if (status == JTG_OK) {
        jtgi_breakglass_token_draw(&token);
        status = issue(&call, mode, &token, info);
        if (status == JTG_OK)
            jtgi_breakglass_token_write(&token, text);
        jtgi_breakglass_token_wipe(&token);
    }
    return end(&call, JTG_BREAKGLASS_ISSUE, status);
}

/* ---- lookup ---- */

/* What the record says of a token: the outcome, chosen by arithmetic in place of branches. */
static jtg_breakglass_outcome judge(const struct call *call,
                                    const struct jtgi_breakglass_token *token)
{
    const struct jtgi_breakglass_record *record = &call->record;
    unsigned same =
        hidden(jtgi_breakglass_record_matches(record, &call->breakglass->sealer, token));
    unsigned vacant = hidden(!record->has_token);
    unsigned used_up = hidden(jtgi_breakglass_record_is_used_up(record));
    unsigned over = hidden(jtgi_breakglass_record_is_over(record, call->left_ms, call->wall_ms));
    unsigned unsure = hidden(jtgi_breakglass_record_is_unsure(record, call->epoch));

    /* One of the six is 1. */
    unsigned outcome = (same & ~used_up & ~over & ~unsure) * JTG_BREAKGLASS_MATCHED +
                       (same & used_up) * JTG_BREAKGLASS_USED_UP +
                       (same & ~used_up & over) * JTG_BREAKGLASS_EXPIRED +
                       (same & ~used_up & ~over & unsure) * JTG_BREAKGLASS_UNSURE +
                       vacant * JTG_BREAKGLASS_NO_TOKEN +
                       (~same & ~vacant & 1U) * JTG_BREAKGLASS_NO_MATCH;
    return (jtg_breakglass_outcome)outcome;
}

/* The time that the reading took is taken off, or each use would prolong the token by it. */
static jtg_status count_use(struct call *call, const struct jtgi_breakglass_token *token)
{
    struct jtgi_breakglass_record used = call->record;
    int64_t waited_ms =
        jtgi_clock_monotonic_ms(&call->breakglass->base.clock) - call->asked_monotonic_ms;
    uint64_t passed_ms = waited_ms > 0 ? (uint64_t)waited_ms : 0;
    uint64_t left_ms = passed_ms < call->left_ms ? call->left_ms - passed_ms : 0;
    if (jtgi_breakglass_record_is_over(&used, left_ms, call->wall_ms)) {
        call->outcome = JTG_BREAKGLASS_EXPIRED;
        return JTG_NOT_FOUND;
    }
    used.uses++;
    jtgi_breakglass_record_seal(&used, &call->breakglass->sealer, token);
    jtg_status status = change(call, &used, left_ms);
    if (status ==
        JTG_OK) /* a use that the store forgot after the reading was counted as this one */
        status = ask_what_is_kept(call);
    if (status != JTG_OK) {
        call->outcome = JTG_BREAKGLASS_FAILED;
        return status;
    }
    call->record = used;
    if (!jtgi_breakglass_record_is_unsure(&used, call->epoch))
        return JTG_OK;
    call->outcome = JTG_BREAKGLASS_UNSURE;
    return JTG_NOT_FOUND;
}

/* Ask for the place, and plant a vacant record where there is none: later lookups then do what they
 * would do with a token. If that fails, they find none and do it again. */
static jtg_status look_and_plant(struct call *call)
{
    jtg_status status = look(call);
    if (status != JTG_OK || !call->absent)
        return status;
    if (change(call, &call->record, JTGI_BREAKGLASS_KEPT_MS) != JTG_OK)
        jtgi_error_begin(call->err);
    return JTG_OK;
}

static jtg_status look_up(struct call *call, const struct jtgi_breakglass_token *token)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        jtg_status status = look_and_plant(call);
        if (status != JTG_OK)
            return status;
        call->outcome = judge(call, token);
        unsigned matched = hidden(call->outcome == JTG_BREAKGLASS_MATCHED);
        if ((matched & hidden(call->record.max_uses != 0)) == 0)
            return (jtg_status)(JTG_NOT_FOUND * (1 - matched));
        status = count_use(call, token);
        if (status != JTG_MISMATCH)
            return status;
    }
    return give_up(call);
}

/* The same work for a match and for none: a text is made, and taken away again after a match. */
static void answer(const struct call *call, bool matched, jtg_breakglass_info *info)
{
    jtg_error *err = call->err;
    unsigned refused = hidden(!matched);
    (void)jtg_error_set(err, JTG_NOT_FOUND, 0, "the token is not active");
    err->text[0] = (char)((unsigned char)err->text[0] * refused);
    err->status = (jtg_status)(JTG_NOT_FOUND * refused);
    tell(info, call, matched);
}

static jtg_status check_lookup(struct call *call, const char *text, const jtg_breakglass_info *info)
{
    if (text == NULL)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "no token");
    return info_size_ok(info) ? JTG_OK : refuse_info(call);
}

jtg_status jtg_breakglass_lookup(jtg_breakglass *breakglass, const char *text, size_t text_len,
                                 jtg_breakglass_info *info, jtg_error *err)
{
    struct call call;
    struct jtgi_breakglass_token token;
    tell_nothing(info);
    jtg_status status = begin(&call, breakglass, err);
    if (status == JTG_OK)
        status = check_lookup(&call, text, info);
    if (status != JTG_OK)
        return end(&call, JTG_BREAKGLASS_LOOKUP, status);
    if (!jtgi_breakglass_token_read(&token, text, text_len)) {
        jtgi_breakglass_token_wipe(&token);
        call.outcome = JTG_BREAKGLASS_MALFORMED;
        return end(&call, JTG_BREAKGLASS_LOOKUP, JTG_NOT_FOUND);
    }
    status = look_up(&call, &token);
    jtgi_breakglass_token_wipe(&token);
    if (hidden((status != JTG_OK) & (status != JTG_NOT_FOUND)) != 0)
        return end(&call, JTG_BREAKGLASS_LOOKUP, status);
    answer(&call, status == JTG_OK, info);
    note(&call, JTG_BREAKGLASS_LOOKUP, status);
    return status;
}

/* ---- ending a token ---- */

static jtg_status delete_matching(struct call *call, const struct jtgi_breakglass_token *token)
{
    struct jtgi_breakglass_record vacant;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        jtg_status status = look_and_plant(call);
        if (status != JTG_OK)
            return status;
        call->outcome = judge(call, token);
        if (call->outcome != JTG_BREAKGLASS_MATCHED)
            return JTG_NOT_FOUND;
        jtgi_breakglass_record_vacate(&vacant, &call->breakglass->sealer);
        status = change(call, &vacant, JTGI_BREAKGLASS_KEPT_MS);
        call->outcome = status == JTG_OK ? JTG_BREAKGLASS_DELETED : JTG_BREAKGLASS_FAILED;
        if (status != JTG_MISMATCH)
            return status;
    }
    return give_up(call);
}

jtg_status jtg_breakglass_delete(jtg_breakglass *breakglass, const char *text, size_t text_len,
                                 jtg_error *err)
{
    struct call call;
    struct jtgi_breakglass_token token;
    jtg_status status = begin(&call, breakglass, err);
    if (status == JTG_OK)
        status = check_lookup(&call, text, NULL);
    if (status == JTG_OK && !jtgi_breakglass_token_read(&token, text, text_len)) {
        call.outcome = JTG_BREAKGLASS_MALFORMED;
        status = JTG_NOT_FOUND;
    } else if (status == JTG_OK) {
        status = delete_matching(&call, &token);
    }
    jtgi_breakglass_token_wipe(&token);
    if (status == JTG_NOT_FOUND)
        (void)jtg_error_set(call.err, status, 0, "the token is not active");
    return end(&call, JTG_BREAKGLASS_DELETE, status);
}

jtg_status jtg_breakglass_clear(jtg_breakglass *breakglass, jtg_error *err)
{
    struct call call;
    struct jtgi_breakglass_record vacant;
    jtg_status status = begin(&call, breakglass, err);
    if (status == JTG_OK) {
        jtgi_breakglass_record_vacate(&vacant, &breakglass->sealer);
        status = overwrite(&call, &vacant);
    }
    if (status == JTG_OK)
        call.outcome = JTG_BREAKGLASS_CLEARED;
    return end(&call, JTG_BREAKGLASS_CLEAR, status);
}

/* ---- status ---- */

jtg_status jtg_breakglass_status(jtg_breakglass *breakglass, jtg_breakglass_info *info,
                                 jtg_error *err)
{
    struct call call;
    tell_nothing(info);
    jtg_status status = begin(&call, breakglass, err);
    if (status == JTG_OK && !info_size_ok(info))
        status = refuse_info(&call);
    if (status == JTG_OK)
        status = look(&call);
    if (status == JTG_OK && !is_active(&call))
        status = jtg_error_set(call.err, JTG_NOT_FOUND, 0, "no token is active");
    if (status == JTG_OK)
        tell(info, &call, true);
    return finish(&call, status);
}
