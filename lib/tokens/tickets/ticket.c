/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket.h"
#include "tokens/common/wire.h"

#include "core/digest.h"

#include <sodium.h>

enum { FORMAT = 1, SESSION_FIXED_BYTES = 14, SUITE_MAX = 0xffff };

_Static_assert((int)JTGI_TICKET_LEAST_BYTES == (int)JTG_TICKET_OVERHEAD_BYTES, "of a ticket");
_Static_assert((int)JTGI_TICKET_LEAST_BYTES + SESSION_FIXED_BYTES ==
                   (int)JTG_TICKET_SESSION_FIXED_BYTES,
               "of a session");

void jtgi_ticket_zone_init(struct jtgi_ticket_zone *zone, struct jtgi_span name)
{
    unsigned char digest[JTGI_DIGEST_BYTES];
    jtgi_digest_labelled("jtiguard ticket zone 1", name.data, name.len, digest);
    zone->name = name;
    memcpy(zone->tag, digest, sizeof zone->tag);
}

/* ---- the envelope ---- */

jtg_status jtgi_ticket_seal(const struct jtgi_ticket_key *key, const struct jtgi_ticket_zone *zone,
                            enum jtgi_ticket_kind kind, const struct jtgi_ticket_times *times,
                            unsigned char *body, size_t body_len, unsigned char *ticket)
{
    unsigned char nonce[JTGI_CIPHER_NONCE_BYTES];
    struct jtgi_writer header = jtgi_writer_of(ticket, JTGI_TICKET_HEADER_BYTES);
    struct jtgi_writer start = jtgi_writer_of(body, JTGI_TICKET_TIMES_BYTES);
    struct jtgi_bound bound = {{ticket, JTGI_TICKET_HEADER_BYTES}, zone->name};
    struct jtgi_span plain = {body, body_len};
    randombytes_buf(nonce, sizeof nonce);
    jtgi_write_bytes(&header, key->name, sizeof key->name);
    jtgi_write_number(&header, FORMAT, 1);
    jtgi_write_number(&header, kind, 1);
    jtgi_write_bytes(&header, zone->tag, sizeof zone->tag);
    jtgi_write_bytes(&header, nonce, sizeof nonce);
    jtgi_write_number(&start, (uint64_t)times->issued_ms, sizeof times->issued_ms);
    jtgi_write_number(&start, times->lifetime_s, sizeof times->lifetime_s);
    return jtgi_cipher_seal(key->aead, nonce, &bound, plain, ticket + JTGI_TICKET_HEADER_BYTES);
}

jtg_ticket_reason jtgi_ticket_check(const struct jtgi_ticket_zone *zone, enum jtgi_ticket_kind kind,
                                    struct jtgi_span ticket)
{
    struct jtgi_reader reader = jtgi_reader_of(ticket.data, ticket.len);
    if (ticket.len < JTGI_TICKET_LEAST_BYTES || ticket.len > JTG_TICKET_MAX_BYTES)
        return JTG_TICKET_MALFORMED;
    (void)jtgi_read_bytes(&reader, JTG_TICKET_NAME_BYTES);
    if (jtgi_read_number(&reader, 1) != FORMAT || jtgi_read_number(&reader, 1) != kind)
        return JTG_TICKET_MALFORMED;
    return memcmp(reader.at, zone->tag, sizeof zone->tag) == 0 ? JTG_TICKET_DONE
                                                               : JTG_TICKET_WRONG_ZONE;
}

jtg_status jtgi_ticket_open(const struct jtgi_ticket_key *key, const struct jtgi_ticket_zone *zone,
                            struct jtgi_span ticket, unsigned char *body,
                            struct jtgi_ticket_times *times)
{
    const unsigned char *bytes = ticket.data;
    struct jtgi_bound bound = {{bytes, JTGI_TICKET_HEADER_BYTES}, zone->name};
    struct jtgi_span sealed = {bytes + JTGI_TICKET_HEADER_BYTES,
                               ticket.len - JTGI_TICKET_HEADER_BYTES};
    const unsigned char *nonce = bytes + JTGI_TICKET_HEADER_BYTES - JTGI_CIPHER_NONCE_BYTES;
    jtg_status status = jtgi_cipher_open(key->aead, nonce, &bound, sealed, body);
    if (status != JTG_OK)
        return status;
    struct jtgi_reader reader = jtgi_reader_of(body, JTGI_TICKET_TIMES_BYTES);
    times->issued_ms = (int64_t)jtgi_read_number(&reader, sizeof times->issued_ms);
    times->lifetime_s = (uint32_t)jtgi_read_number(&reader, sizeof times->lifetime_s);
    return JTG_OK;
}

/* ---- a session ---- */

static bool is_given(const void *data, size_t len)
{
    return data != NULL || len == 0;
}

size_t jtgi_session_size(const jtg_ticket_session *session)
{
    if (session->psk_len == 0 || session->psk_len > JTG_TICKET_PSK_MAX_BYTES ||
        session->nonce_len > JTG_TICKET_NONCE_MAX_BYTES ||
        session->app_len > JTG_TICKET_APP_MAX_BYTES || session->cipher_suite > SUITE_MAX ||
        !is_given(session->psk, session->psk_len) ||
        !is_given(session->nonce, session->nonce_len) || !is_given(session->app, session->app_len))
        return 0;
    return JTGI_TICKET_TIMES_BYTES + SESSION_FIXED_BYTES + session->psk_len + session->nonce_len +
           session->app_len;
}

void jtgi_session_write(const jtg_ticket_session *session, unsigned char *body, size_t body_len)
{
    struct jtgi_writer writer =
        jtgi_writer_of(body + JTGI_TICKET_TIMES_BYTES, body_len - JTGI_TICKET_TIMES_BYTES);
    jtgi_write_number(&writer, session->cipher_suite, 2);
    jtgi_write_number(&writer, session->max_early_data, 4);
    jtgi_write_number(&writer, session->age_add, 4);
    jtgi_write_number(&writer, session->psk_len, 1);
    jtgi_write_number(&writer, session->nonce_len, 1);
    jtgi_write_number(&writer, session->app_len, 2);
    jtgi_write_bytes(&writer, session->psk, session->psk_len);
    jtgi_write_bytes(&writer, session->nonce, session->nonce_len);
    jtgi_write_bytes(&writer, session->app, session->app_len);
}

bool jtgi_session_read(jtg_ticket_session *session, const unsigned char *body, size_t body_len)
{
    struct jtgi_reader reader = jtgi_reader_of(body, body_len);
    (void)jtgi_read_bytes(&reader, JTGI_TICKET_TIMES_BYTES);
    session->cipher_suite = (uint32_t)jtgi_read_number(&reader, 2);
    session->max_early_data = (uint32_t)jtgi_read_number(&reader, 4);
    session->age_add = (uint32_t)jtgi_read_number(&reader, 4);
    session->psk_len = (size_t)jtgi_read_number(&reader, 1);
    session->nonce_len = (size_t)jtgi_read_number(&reader, 1);
    session->app_len = (size_t)jtgi_read_number(&reader, 2);
    session->psk = jtgi_read_bytes(&reader, session->psk_len);
    session->nonce = jtgi_read_bytes(&reader, session->nonce_len);
    session->app = jtgi_read_bytes(&reader, session->app_len);
    return jtgi_reader_ended(&reader) && jtgi_session_size(session) == body_len;
}
