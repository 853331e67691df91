/* SPDX-License-Identifier: Apache-2.0 */
/* A client that keeps the sessions of its servers, and uses each once. */
#include <jtiguard/jtiguard.h>
#include <stdio.h>
#include <string.h>

static jtg_endpoint server(const char *host)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = host;
    endpoint.port = 5684;
    endpoint.alpn = "coap";
    endpoint.alpn_len = 4;
    return endpoint;
}

/* NewSessionTicket came; over UDP it may come twice. */
static void on_ticket(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint, const char *ticket,
                      uint32_t lifetime_s)
{
    static const char *const fates[] = {"not stored", "stored", "a duplicate", "discarded"};
    jtg_dtls_fate fate = JTG_DTLS_NOT_STORED;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    session.ticket = ticket;
    session.ticket_len = strlen(ticket);
    session.secret = "what the TLS library needs to resume";
    session.secret_len = 36;
    session.lifetime_s = lifetime_s;
    jtg_status status = jtg_dtls_sessions_store(sessions, endpoint, &session, &fate, NULL);
    printf("%s: %s\n", ticket, status == JTG_OK ? fates[fate] : jtg_status_text(status));
}

/* A new connection: with a session, or with a full handshake. */
static void connect_to(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_status status = jtg_dtls_sessions_take(sessions, endpoint, &session, NULL);
    if (status == JTG_OK)
        printf("connect: resume with %.*s\n", (int)session.ticket_len,
               (const char *)session.ticket);
    else
        printf("connect: full handshake (%s)\n", jtg_status_name(status));
    jtg_dtls_session_clear(&session); /* wipes the secret */
}

static void show(jtg_dtls_sessions *sessions)
{
    jtg_endpoint by_name = server("Gateway.Example.");
    jtg_endpoint same = server("gateway.example");
    on_ticket(sessions, &by_name, "ticket-1", 3600);
    on_ticket(sessions, &by_name, "ticket-1", 3600);
    connect_to(sessions, &same);
    on_ticket(sessions, &same, "ticket-1", 3600); /* a late copy, after use */
    connect_to(sessions, &same);
    on_ticket(sessions, &same, "ticket-2", 0);
}

int main(void)
{
    jtg_cache *cache = NULL;
    jtg_dtls_sessions *sessions = NULL;
    bool good = jtg_memory_new(&cache, NULL, NULL) == JTG_OK &&
                jtg_dtls_sessions_new(&sessions, cache, NULL, NULL) == JTG_OK;
    if (good)
        show(sessions);
    jtg_dtls_sessions_free(sessions);
    jtg_cache_free(cache);
    return good ? 0 : 1;
}
