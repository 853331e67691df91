/* SPDX-License-Identifier: Apache-2.0 */
/* A server that puts its sessions into tickets, and takes them back.
 *
 * One process with a store in memory. Several instances share a Redis in its place
 * (jtg_redis_new_uri()), name a kek_file, and leave single_instance alone: a key then seals only
 * when every instance has it. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <string.h>

enum { TICKET_ROOM = 512 };

struct ticket {
    unsigned char bytes[TICKET_ROOM];
    size_t len;
};

/* After a handshake: what NewSessionTicket carries. Without a ticket the client does a full
 * handshake next time, and nothing else is lost. */
static bool issue(jtg_ticket_keys *keys, struct ticket *ticket)
{
    static const unsigned char secret[] = "the resumption secret of this session";
    jtg_ticket_reason reason;
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    session.psk = secret;
    session.psk_len = sizeof secret - 1;
    session.nonce = "\0\0\0\1";
    session.nonce_len = 4;
    session.app = "h2"; /* whatever has to be the same next time */
    session.app_len = 2;
    session.cipher_suite = 0x1302; /* TLS_AES_256_GCM_SHA384 */
    session.lifetime_s = 7200;
    ticket->len = sizeof ticket->bytes;
    bool sealed = jtg_ticket_seal(keys, &session, ticket->bytes, &ticket->len, &reason, NULL);
    printf("issue: %s, %zu bytes\n", jtg_ticket_reason_name(reason), ticket->len);
    return sealed;
}

/* A ClientHello offers a ticket. Every answer but true means a full handshake. */
static void resume(jtg_ticket_keys *keys, const struct ticket *ticket)
{
    jtg_ticket_reason reason;
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    if (jtg_ticket_open(keys, ticket->bytes, ticket->len, &session, &reason, NULL))
        printf("resume: suite %04x, secret of %zu bytes, for %.*s%s\n", session.cipher_suite,
               session.psk_len, (int)session.app_len, (const char *)session.app,
               session.renew ? ", send a new ticket" : "");
    else
        printf("resume: %s\n", jtg_ticket_reason_text(reason));
    jtg_ticket_session_clear(&session); /* wipes the secret */
}

static void show(jtg_ticket_keys *keys)
{
    struct ticket ticket;
    if (!issue(keys, &ticket))
        return;
    resume(keys, &ticket);
    if (jtg_ticket_keys_rotate(keys, NULL) == JTG_OK)
        resume(keys, &ticket); /* by the key before */
    ticket.bytes[ticket.len - 1] ^= 1;
    resume(keys, &ticket);
    ticket.bytes[ticket.len - 1] ^= 1;
    if (jtg_ticket_keys_revoke(keys, NULL) == JTG_OK)
        resume(keys, &ticket);
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_ticket_keys *keys = NULL;
    jtg_ticket_options options = JTG_TICKET_OPTIONS_INIT;
    options.zone = "www";
    options.single_instance = 1;
    bool good = jtg_memory_new(&cache, NULL, NULL) == JTG_OK &&
                jtg_ticket_keys_new(&keys, cache, &options, NULL) == JTG_OK &&
                jtg_ticket_keys_refresh(keys, NULL) == JTG_OK;
    if (good)
        show(keys);
    jtg_ticket_keys_free(keys);
    jtg_cache_free(cache);
    return good ? 0 : 1;
}
