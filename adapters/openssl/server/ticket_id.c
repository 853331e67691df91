/* SPDX-License-Identifier: Apache-2.0 */
/* Each ticket of TLS 1.3 gets an id: the program's application data, then a mark of 16 bytes, then
 * 16 random ones. The ticket is authenticated, so the id is one that a server with the keys wrote.
 * When a ticket was opened the id is cut off, so that the program meets its own data only, and
 * held beside the session.
 *
 * Servers without this may share the keys, e.g. while an update is under way: a ticket of theirs
 * has no mark, and its early data is refused. */
#include "adapters/openssl/server/ticket_id.h"

#include <openssl/rand.h>
#include <string.h>

enum { MARK_BYTES = 16, TRAILER_BYTES = MARK_BYTES + JTGO_TICKET_ID_BYTES };

static const unsigned char mark[MARK_BYTES] = {'j', 't', 'i', 'g', 'u', 'a', 'r', 'd',
                                               ' ', 't', 'i', 'c', 'k', 'e', 't', '1'};

static CRYPTO_ONCE index_once = CRYPTO_ONCE_STATIC_INIT;
static int id_index = -1;

/* ---- beside the session ---- */

/* A copy of a session is for a ticket to come, which gets an id of its own. */
static void make_index(void)
{
    id_index =
        SSL_SESSION_get_ex_new_index(0, NULL, NULL, jtgo_attached_forget, jtgo_attached_free);
}

static void hold_id(SSL_SESSION *session, const unsigned char *id)
{
    unsigned char *held = OPENSSL_memdup(id, JTGO_TICKET_ID_BYTES);
    OPENSSL_free(SSL_SESSION_get_ex_data(session, id_index));
    if (SSL_SESSION_set_ex_data(session, id_index, held) != 1)
        OPENSSL_free(held);
}

struct jtgo_id jtgo_ticket_id_of(const SSL_SESSION *session)
{
    struct jtgo_id id = {SSL_SESSION_get_ex_data(session, id_index), JTGO_TICKET_ID_BYTES};
    if (id.bytes == NULL)
        id.len = 0;
    return id;
}

/* ---- in the application data ---- */

static size_t read_data(SSL_SESSION *session, unsigned char **data)
{
    void *all = NULL;
    size_t len = 0;
    (void)SSL_SESSION_get0_ticket_appdata(session, &all, &len);
    *data = all;
    return len;
}

/* The id, or NULL; *own_len is what the program's data takes. */
static const unsigned char *find_id(const unsigned char *data, size_t len, size_t *own_len)
{
    *own_len = len;
    if (len < TRAILER_BYTES || memcmp(data + len - TRAILER_BYTES, mark, MARK_BYTES) != 0)
        return NULL;
    *own_len = len - TRAILER_BYTES;
    return data + len - JTGO_TICKET_ID_BYTES;
}

/* SSL_SESSION_set1_ticket_appdata() frees what it is to copy from before it copies. */
static bool set_data(SSL_SESSION *session, const void *data, size_t len)
{
    return SSL_SESSION_set1_ticket_appdata(session, data, len) == 1;
}

static bool cut_id(SSL_SESSION *session)
{
    unsigned char *data = NULL;
    size_t own_len = 0;
    size_t len = read_data(session, &data);
    const unsigned char *id = find_id(data, len, &own_len);
    if (id == NULL)
        return true;
    hold_id(session, id);
    unsigned char *own = own_len == 0 ? NULL : OPENSSL_memdup(data, own_len);
    bool good = (own_len == 0 || own != NULL) && set_data(session, own, own_len);
    OPENSSL_free(own);
    return good;
}

/* Without randomness or memory the ticket goes out without an id. False: the data of the program
 * was lost on the way. */
static bool add_id(SSL_SESSION *session)
{
    unsigned char *data = NULL;
    unsigned char id[JTGO_TICKET_ID_BYTES];
    size_t own_len = read_data(session, &data);
    unsigned char *all = OPENSSL_malloc(own_len + TRAILER_BYTES);
    if (all == NULL || RAND_bytes(id, sizeof id) != 1) {
        OPENSSL_free(all);
        return true;
    }
    if (own_len != 0)
        memcpy(all, data, own_len);
    memcpy(all + own_len, mark, MARK_BYTES);
    memcpy(all + own_len + MARK_BYTES, id, sizeof id);
    bool good = set_data(session, all, own_len + TRAILER_BYTES) || own_len == 0;
    OPENSSL_free(all);
    return good;
}

/* ---- callbacks ---- */

/* The session is that of the ticket before, if there was one: with the id of that one. 0 ends the
 * connection: the program's data, which may say who the client is, could not be kept. */
static int generate(SSL *ssl, void *context)
{
    const jtg_anti_replay_openssl_options *options = &((struct jtgo_early_data *)context)->options;
    SSL_SESSION *session = SSL_get_session(ssl);
    if (session == NULL || !cut_id(session))
        return 0;
    if (options->generate != NULL && options->generate(ssl, options->ticket_arg) == 0)
        return 0;
    return SSL_version(ssl) != TLS1_3_VERSION || add_id(session);
}

/* What OpenSSL does by itself, but that with TLS 1.3 a new ticket comes always: each is good once.
 */
static SSL_TICKET_RETURN answer(const SSL *ssl, SSL_TICKET_STATUS status)
{
    switch (status) {
    case SSL_TICKET_SUCCESS:
        return SSL_version(ssl) == TLS1_3_VERSION ? SSL_TICKET_RETURN_USE_RENEW
                                                  : SSL_TICKET_RETURN_USE;
    case SSL_TICKET_SUCCESS_RENEW:
        return SSL_TICKET_RETURN_USE_RENEW;
    default:
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
}

static SSL_TICKET_RETURN decrypt(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                 size_t name_len, SSL_TICKET_STATUS status, void *context)
{
    const jtg_anti_replay_openssl_options *options = &((struct jtgo_early_data *)context)->options;
    bool opened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    if (opened && !cut_id(session))
        return SSL_TICKET_RETURN_IGNORE_RENEW; /* a full handshake needs less */
    if (options->decrypt != NULL)
        return options->decrypt(ssl, session, name, name_len, status, options->ticket_arg);
    return answer(ssl, status);
}

bool jtgo_ticket_id_install(SSL_CTX *context, struct jtgo_early_data *guard)
{
    return CRYPTO_THREAD_run_once(&index_once, make_index) == 1 && id_index >= 0 &&
           SSL_CTX_set_session_ticket_cb(context, generate, decrypt, guard) == 1;
}
