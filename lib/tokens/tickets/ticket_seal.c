/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening, and the views of a key. */
#include "tokens/tickets/ticket_keys_object.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

#define SESSION_OLDEST_SIZE sizeof(jtg_ticket_session)

static const jtg_ticket_session no_session = JTG_TICKET_SESSION_INIT;

/* A caller's struct may be one of an older release, and shorter. */
static bool is_session(const jtg_ticket_session *session)
{
    return session != NULL && jtgi_struct_size_ok(session->struct_size, SESSION_OLDEST_SIZE);
}

static void give_session(jtg_ticket_session *session, const jtg_ticket_session *made)
{
    jtgi_struct_give(session, made, sizeof *made);
}

void jtg_ticket_session_clear(jtg_ticket_session *session)
{
    if (!is_session(session))
        return;
    jtgi_free_wiped(session->storage, session->storage_len);
    give_session(session, &no_session);
}

void jtg_ticket_cbc_key_clear(jtg_ticket_cbc_key *key)
{
    if (key != NULL)
        sodium_memzero(key, sizeof *key);
}

/* ---- what every call begins and ends with ---- */

static jtg_ticket_reason bad_argument(jtg_error *err, const char *what)
{
    (void)jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "%s", what);
    return JTG_TICKET_BAD_ARGUMENT;
}

static jtg_ticket_reason from_status(jtg_status status, jtg_error *err)
{
    if (status == JTG_OK)
        return JTG_TICKET_DONE;
    if (status == JTG_MISMATCH)
        return JTG_TICKET_TAMPERED;
    (void)jtgi_error_set_status(err, status);
    return status == JTG_ERR_MEMORY ? JTG_TICKET_OUT_OF_MEMORY : JTG_TICKET_INTERNAL;
}

static jtg_ticket_reason begin(const jtg_ticket_keys *keys, jtg_error *err)
{
    jtgi_error_begin(err);
    if (keys == NULL)
        return bad_argument(err, "keys is NULL");
    return jtgi_ticket_keys_forked(keys, err) == JTG_OK ? JTG_TICKET_DONE : JTG_TICKET_FORKED;
}

static bool end(const jtg_ticket_keys *keys, jtg_ticket_reason made, jtg_ticket_reason *reason)
{
    if (keys != NULL)
        jtgi_counters_add(keys->base.counters, (size_t)made);
    if (reason != NULL)
        *reason = made;
    return made == JTG_TICKET_DONE;
}

/* ---- sealing ---- */

/* body holds all but the times; it is wiped here. */
static jtg_ticket_reason seal_body(jtg_ticket_keys *keys, enum jtgi_ticket_kind kind,
                                   uint32_t lifetime_s, unsigned char *body, size_t body_len,
                                   unsigned char *ticket, jtg_error *err)
{
    struct jtgi_chosen_key chosen;
    jtg_ticket_reason reason = jtgi_ticket_keys_sealing(keys, &chosen, err);
    if (reason != JTG_TICKET_DONE)
        return reason;
    struct jtgi_ticket_times times = {chosen.now.low_ms, lifetime_s};
    jtg_status status =
        jtgi_ticket_seal(chosen.entry->key, &keys->zone, kind, &times, body, body_len, ticket);
    jtgi_key_set_drop(chosen.set);
    return from_status(status, err);
}

/* Room for a ticket of this body, and a lifetime that its key outlives? */
static jtg_ticket_reason check_seal(const jtg_ticket_keys *keys, uint32_t lifetime_s,
                                    size_t body_len, const void *ticket, size_t room,
                                    jtg_error *err)
{
    size_t size = body_len + JTGI_TICKET_HEADER_BYTES + JTGI_CIPHER_TAG_BYTES;
    if (lifetime_s == 0 || lifetime_s > keys->lifetime_s)
        return bad_argument(err, "lifetime_s is not between 1 and ticket_lifetime_s");
    if (ticket == NULL || room < size)
        return bad_argument(err, "no room for the ticket");
    return JTG_TICKET_DONE;
}

static jtg_ticket_reason seal_session(jtg_ticket_keys *keys, const jtg_ticket_session *given,
                                      unsigned char *ticket, size_t *ticket_len, size_t room,
                                      jtg_error *err)
{
    jtg_ticket_session session = no_session;
    if (jtg_struct_read(&session, sizeof session, SESSION_OLDEST_SIZE, given, "session", err) !=
        JTG_OK)
        return JTG_TICKET_BAD_ARGUMENT;
    size_t body_len = jtgi_session_size(&session);
    if (body_len == 0)
        return bad_argument(err, "session: a field is out of its range");
    jtg_ticket_reason reason = check_seal(keys, session.lifetime_s, body_len, ticket, room, err);
    if (reason != JTG_TICKET_DONE)
        return reason;
    unsigned char *body = jtgi_alloc(body_len);
    if (body == NULL)
        return from_status(JTG_ERR_MEMORY, err);
    jtgi_session_write(&session, body, body_len);
    reason = seal_body(keys, JTGI_TICKET_SESSION, session.lifetime_s, body, body_len, ticket, err);
    jtgi_free_wiped(body, body_len);
    if (reason == JTG_TICKET_DONE)
        *ticket_len = body_len + JTGI_TICKET_HEADER_BYTES + JTGI_CIPHER_TAG_BYTES;
    return reason;
}

bool jtg_ticket_seal(jtg_ticket_keys *keys, const jtg_ticket_session *session, void *ticket,
                     size_t *ticket_len, jtg_ticket_reason *reason, jtg_error *err)
{
    jtg_ticket_reason made = begin(keys, err);
    size_t room = ticket_len != NULL ? *ticket_len : 0;
    if (ticket_len != NULL)
        *ticket_len = 0;
    if (made == JTG_TICKET_DONE && (session == NULL || ticket_len == NULL))
        made = bad_argument(err, "session or ticket_len is NULL");
    if (made == JTG_TICKET_DONE)
        made = seal_session(keys, session, ticket, ticket_len, room, err);
    return end(keys, made, reason);
}

static jtg_ticket_reason seal_bytes(jtg_ticket_keys *keys, struct jtgi_span data,
                                    uint32_t lifetime_s, unsigned char *ticket, size_t *ticket_len,
                                    size_t room, jtg_error *err)
{
    if ((data.data == NULL && data.len != 0) ||
        data.len > JTG_TICKET_MAX_BYTES - JTG_TICKET_OVERHEAD_BYTES)
        return bad_argument(err, "data is NULL or too long");
    size_t body_len = data.len + JTGI_TICKET_TIMES_BYTES;
    jtg_ticket_reason reason = check_seal(keys, lifetime_s, body_len, ticket, room, err);
    if (reason != JTG_TICKET_DONE)
        return reason;
    unsigned char *body = jtgi_alloc(body_len);
    if (body == NULL)
        return from_status(JTG_ERR_MEMORY, err);
    if (data.len != 0)
        memcpy(body + JTGI_TICKET_TIMES_BYTES, data.data, data.len);
    reason = seal_body(keys, JTGI_TICKET_BYTES, lifetime_s, body, body_len, ticket, err);
    jtgi_free_wiped(body, body_len);
    if (reason == JTG_TICKET_DONE)
        *ticket_len = data.len + JTG_TICKET_OVERHEAD_BYTES;
    return reason;
}

bool jtg_ticket_seal_bytes(jtg_ticket_keys *keys, const void *data, size_t data_len,
                           uint32_t lifetime_s, void *ticket, size_t *ticket_len,
                           jtg_ticket_reason *reason, jtg_error *err)
{
    struct jtgi_span span = {data, data_len};
    jtg_ticket_reason made = begin(keys, err);
    size_t room = ticket_len != NULL ? *ticket_len : 0;
    if (ticket_len != NULL)
        *ticket_len = 0;
    if (made == JTG_TICKET_DONE && ticket_len == NULL)
        made = bad_argument(err, "ticket_len is NULL");
    if (made == JTG_TICKET_DONE)
        made = seal_bytes(keys, span, lifetime_s, ticket, ticket_len, room, err);
    return end(keys, made, reason);
}

/* ---- opening ---- */

/* An opened ticket. */
struct opened {
    unsigned char *body; /* body_len bytes, to be wiped and freed */
    size_t body_len;
    struct jtgi_ticket_times times;
    uint64_t age_ms;
    bool renew;
};

/* Judged by the later of the two times for the end, and by the earlier one for the age. */
static jtg_ticket_reason judge_times(const jtg_ticket_keys *keys, const struct jtgi_set_time *now,
                                     struct opened *opened)
{
    uint32_t lifetime_s =
        opened->times.lifetime_s < keys->lifetime_s ? opened->times.lifetime_s : keys->lifetime_s;
    int64_t issued_ms = opened->times.issued_ms;
    if (issued_ms < 0)
        return JTG_TICKET_MALFORMED;
    if (issued_ms > now->high_ms + jtgi_key_schedule_slack(&keys->ring.store.schedule))
        return JTG_TICKET_FROM_THE_FUTURE;
    if (now->high_ms - issued_ms >= 1000 * (int64_t)lifetime_s)
        return JTG_TICKET_EXPIRED;
    opened->age_ms = now->low_ms > issued_ms ? (uint64_t)(now->low_ms - issued_ms) : 0;
    return JTG_TICKET_DONE;
}

static jtg_ticket_reason open_body(jtg_ticket_keys *keys, enum jtgi_ticket_kind kind,
                                   struct jtgi_span ticket, struct opened *opened, jtg_error *err)
{
    struct jtgi_chosen_key chosen;
    jtg_ticket_reason reason = jtgi_ticket_check(&keys->zone, kind, ticket);
    if (reason == JTG_TICKET_DONE)
        reason = jtgi_ticket_keys_opening(keys, ticket.data, &chosen, err);
    if (reason != JTG_TICKET_DONE)
        return reason;
    opened->body_len = ticket.len - JTGI_TICKET_HEADER_BYTES - JTGI_CIPHER_TAG_BYTES;
    opened->body = jtgi_alloc(opened->body_len);
    opened->renew = !chosen.is_sealing;
    jtg_status status = JTG_ERR_MEMORY;
    if (opened->body != NULL)
        status =
            jtgi_ticket_open(chosen.entry->key, &keys->zone, ticket, opened->body, &opened->times);
    jtgi_key_set_drop(chosen.set);
    return status == JTG_OK ? judge_times(keys, &chosen.now, opened) : from_status(status, err);
}

static jtg_ticket_reason open_session(jtg_ticket_keys *keys, struct jtgi_span ticket,
                                      jtg_ticket_session *session, jtg_error *err)
{
    jtg_ticket_session made = no_session;
    struct opened opened = {.body = NULL};
    jtg_ticket_reason reason = open_body(keys, JTGI_TICKET_SESSION, ticket, &opened, err);
    if (reason == JTG_TICKET_DONE && !jtgi_session_read(&made, opened.body, opened.body_len))
        reason = JTG_TICKET_MALFORMED;
    if (reason != JTG_TICKET_DONE) {
        jtgi_free_wiped(opened.body, opened.body_len);
        return reason;
    }
    made.lifetime_s = opened.times.lifetime_s;
    made.age_ms = opened.age_ms;
    made.renew = opened.renew;
    made.storage = opened.body;
    made.storage_len = opened.body_len;
    give_session(session, &made);
    return reason;
}

bool jtg_ticket_open(jtg_ticket_keys *keys, const void *ticket, size_t ticket_len,
                     jtg_ticket_session *session, jtg_ticket_reason *reason, jtg_error *err)
{
    struct jtgi_span span = {ticket, ticket_len};
    jtg_ticket_reason made = begin(keys, err);
    if (is_session(session))
        give_session(session, &no_session);
    if (made == JTG_TICKET_DONE && (ticket == NULL || !is_session(session)))
        made = bad_argument(err, "ticket is NULL, or session: struct_size is not set");
    if (made == JTG_TICKET_DONE)
        made = open_session(keys, span, session, err);
    return end(keys, made, reason);
}

bool jtg_ticket_open_bytes(jtg_ticket_keys *keys, const void *ticket, size_t ticket_len, void *data,
                           size_t *data_len, uint32_t *renew, jtg_ticket_reason *reason,
                           jtg_error *err)
{
    struct jtgi_span span = {ticket, ticket_len};
    struct opened opened = {.body = NULL};
    jtg_ticket_reason made = begin(keys, err);
    size_t room = data_len != NULL ? *data_len : 0;
    if (data_len != NULL)
        *data_len = 0;
    if (renew != NULL)
        *renew = 0;
    if (made == JTG_TICKET_DONE && (ticket == NULL || data == NULL || data_len == NULL))
        made = bad_argument(err, "ticket, data or data_len is NULL");
    if (made == JTG_TICKET_DONE && ticket_len > JTG_TICKET_OVERHEAD_BYTES &&
        room < ticket_len - JTG_TICKET_OVERHEAD_BYTES)
        made = bad_argument(err, "no room for the bytes");
    if (made == JTG_TICKET_DONE)
        made = open_body(keys, JTGI_TICKET_BYTES, span, &opened, err);
    if (made == JTG_TICKET_DONE) {
        *data_len = opened.body_len - JTGI_TICKET_TIMES_BYTES;
        memcpy(data, opened.body + JTGI_TICKET_TIMES_BYTES, *data_len);
        if (renew != NULL)
            *renew = opened.renew;
    }
    jtgi_free_wiped(opened.body, opened.body_len);
    return end(keys, made, reason);
}

/* ---- the CBC view ---- */

static void give_cbc(const struct jtgi_chosen_key *chosen, jtg_ticket_cbc_key *key)
{
    const struct jtgi_ticket_key *from = chosen->entry->key;
    memcpy(key->name, from->name, sizeof key->name);
    memcpy(key->aes_key, from->cbc, sizeof key->aes_key);
    memcpy(key->hmac_key, from->cbc + sizeof key->aes_key, sizeof key->hmac_key);
    jtgi_key_set_drop(chosen->set);
}

bool jtg_ticket_cbc_seal_key(jtg_ticket_keys *keys, jtg_ticket_cbc_key *key,
                             jtg_ticket_reason *reason, jtg_error *err)
{
    struct jtgi_chosen_key chosen;
    jtg_ticket_reason made = begin(keys, err);
    jtg_ticket_cbc_key_clear(key);
    if (made == JTG_TICKET_DONE && key == NULL)
        made = bad_argument(err, "no place for the key");
    if (made == JTG_TICKET_DONE)
        made = jtgi_ticket_keys_sealing(keys, &chosen, err);
    if (made == JTG_TICKET_DONE)
        give_cbc(&chosen, key);
    return end(keys, made, reason);
}

bool jtg_ticket_cbc_open_key(jtg_ticket_keys *keys, const unsigned char name[JTG_TICKET_NAME_BYTES],
                             jtg_ticket_cbc_key *key, uint32_t *renew, jtg_ticket_reason *reason,
                             jtg_error *err)
{
    struct jtgi_chosen_key chosen;
    jtg_ticket_reason made = begin(keys, err);
    unsigned char wanted[JTG_TICKET_NAME_BYTES] = {0};
    if (name != NULL) /* it may lie in *key */
        memcpy(wanted, name, sizeof wanted);
    jtg_ticket_cbc_key_clear(key);
    if (renew != NULL)
        *renew = 0;
    if (made == JTG_TICKET_DONE && (key == NULL || name == NULL))
        made = bad_argument(err, "name or key is NULL");
    if (made == JTG_TICKET_DONE)
        made = jtgi_ticket_keys_opening(keys, wanted, &chosen, err);
    if (made == JTG_TICKET_DONE) {
        if (renew != NULL)
            *renew = !chosen.is_sealing;
        give_cbc(&chosen, key);
    }
    return end(keys, made, reason);
}
