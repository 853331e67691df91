/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in a cache, under their ids. One of TLS 1.3 is taken when a client shows its ticket;
 * one of TLS 1.2, which clients use again and again, is read.
 *
 * The binder is verified afterwards, so whoever sees a ticket on its way can spend it: the client
 * then gets a full handshake. A client may show as many tickets as fit its ClientHello, and OpenSSL
 * asks for each until one is found: an attacker could make one flight cost thousands of calls of
 * the store. So the first few are looked up, and the others are unknown. */
#include "adapters/openssl/server/stored_session.h"

#include <openssl/err.h>
#include <stdint.h>
#include <string.h>

enum { LOOKUPS_MAX = 4 };

#define KEY_PREFIX "openssl-session:1."

struct session_key {
    char bytes[sizeof KEY_PREFIX + 1 + SSL_MAX_SSL_SESSION_ID_LENGTH];
    jtg_key key;
};

static CRYPTO_ONCE index_once = CRYPTO_ONCE_STATIC_INIT;
static int lookups_index = -1;

static void make_index(void)
{
    lookups_index = SSL_get_ex_new_index(0, NULL, NULL, jtgo_attached_forget, jtgo_attached_free);
}

/* A session of one version is not found by a client of another: it would be read where it must be
 * taken. */
static bool make_key(struct session_key *key, int version, const unsigned char *id, size_t id_len)
{
    size_t len = sizeof KEY_PREFIX - 1;
    if (id_len == 0 || id_len > SSL_MAX_SSL_SESSION_ID_LENGTH)
        return false;
    memcpy(key->bytes, KEY_PREFIX, len);
    key->bytes[len++] = version == TLS1_3_VERSION ? '3' : '2';
    key->bytes[len++] = ':';
    memcpy(key->bytes + len, id, id_len);
    memset(&key->key, 0, sizeof key->key);
    key->key.data = key->bytes;
    key->key.data_len = len + id_len;
    return true;
}

struct jtgo_id jtgo_stored_session_id_of(const SSL_SESSION *session)
{
    unsigned int len = 0;
    struct jtgo_id id = {SSL_SESSION_get_id(session, &len), 0};
    id.len = len;
    return id;
}

static bool make_key_of(struct session_key *key, const SSL_SESSION *session)
{
    struct jtgo_id id = jtgo_stored_session_id_of(session);
    return make_key(key, SSL_SESSION_get_protocol_version(session), id.bytes, id.len);
}

/* ---- put ---- */

struct bytes {
    unsigned char *data; /* wiped and freed by clear_bytes() */
    size_t len;
};

static void clear_bytes(struct bytes *bytes)
{
    OPENSSL_clear_free(bytes->data, bytes->len);
    *bytes = (struct bytes){NULL, 0};
}

static struct bytes encode(const SSL_SESSION *session)
{
    struct bytes encoded = {NULL, 0};
    int len = i2d_SSL_SESSION(session, &encoded.data);
    if (len > 0)
        encoded.len = (size_t)len;
    return encoded;
}

static struct bytes seal(const struct jtgo_early_data *guard, struct bytes clear, uint32_t life_s)
{
    size_t room = clear.len + JTG_TICKET_OVERHEAD_BYTES;
    struct bytes sealed = {OPENSSL_malloc(room), room};
    if (sealed.data != NULL &&
        jtg_ticket_seal_bytes(guard->options.session_keys, clear.data, clear.len, life_s,
                              sealed.data, &sealed.len, NULL, NULL))
        return sealed;
    sealed.len = room;
    clear_bytes(&sealed);
    return sealed;
}

/* Whole seconds are counted by OpenSSL from the second in which the session began. */
static uint32_t life_s_of(const struct jtgo_early_data *guard, const SSL_SESSION *session)
{
    long life_s = SSL_SESSION_get_timeout(session);
    long most_s = JTG_TICKET_LIFETIME_S_LIMIT;
    if (guard->options.session_keys != NULL)
        most_s = (long)jtg_ticket_keys_lifetime_s(guard->options.session_keys);
    return life_s <= 0 ? 0 : (uint32_t)(life_s < most_s ? life_s : most_s);
}

static void put(const struct jtgo_early_data *guard, const SSL_SESSION *session)
{
    struct session_key key;
    uint32_t life_s = life_s_of(guard, session);
    if (life_s == 0 || !make_key_of(&key, session))
        return;
    struct bytes value = encode(session);
    if (guard->options.session_keys != NULL && value.len != 0) {
        struct bytes sealed = seal(guard, value, life_s);
        clear_bytes(&value);
        value = sealed;
    }
    if (value.len != 0) {
        jtg_status ignored = jtg_cache_put(guard->options.sessions, &key.key, value.data, value.len,
                                           (uint64_t)life_s * UINT64_C(1000), 1, NULL);
        (void)ignored; /* the ticket then leads to a full handshake; the cache counts the failure */
    }
    clear_bytes(&value);
}

/* 0: no reference to the session is kept. */
static int new_session(SSL *ssl, SSL_SESSION *session)
{
    const struct jtgo_early_data *guard = jtgo_early_data_of(ssl);
    if (guard != NULL && guard->options.sessions != NULL)
        put(guard, session);
    return 0;
}

/* ---- get ---- */

static SSL_SESSION *decode(const unsigned char *data, size_t len, const unsigned char *id,
                           size_t id_len)
{
    const unsigned char *at = data;
    ERR_set_mark(); /* a value that is none is no error of the connection */
    SSL_SESSION *session = len > INT32_MAX ? NULL : d2i_SSL_SESSION(NULL, &at, (long)len);
    ERR_pop_to_mark();
    if (session == NULL)
        return NULL;
    struct jtgo_id own = jtgo_stored_session_id_of(session);
    if (own.len == id_len && memcmp(own.bytes, id, id_len) == 0)
        return session;
    SSL_SESSION_free(session); /* of another key: the store was tampered with */
    return NULL;
}

static struct bytes unseal(const struct jtgo_early_data *guard, const jtg_value *value)
{
    struct bytes opened = {OPENSSL_malloc(value->data_len), value->data_len};
    if (opened.data != NULL &&
        jtg_ticket_open_bytes(guard->options.session_keys, value->data, value->data_len,
                              opened.data, &opened.len, NULL, NULL, NULL))
        return opened;
    opened.len = value->data_len;
    clear_bytes(&opened);
    return opened;
}

static SSL_SESSION *read_value(const struct jtgo_early_data *guard, const jtg_value *value,
                               const unsigned char *id, size_t id_len)
{
    if (guard->options.session_keys == NULL)
        return decode(value->data, value->data_len, id, id_len);
    struct bytes opened = unseal(guard, value);
    SSL_SESSION *session = opened.len == 0 ? NULL : decode(opened.data, opened.len, id, id_len);
    clear_bytes(&opened);
    return session;
}

/* How often a ClientHello has asked. By its random value it is told from the next one of a
 * connection that is used again; after a HelloRetryRequest it is the same. */
struct lookups {
    unsigned char hello[SSL3_RANDOM_SIZE];
    unsigned count;
};

static struct lookups *lookups_of(SSL *ssl)
{
    struct lookups *lookups = SSL_get_ex_data(ssl, lookups_index);
    if (lookups != NULL)
        return lookups;
    lookups = OPENSSL_zalloc(sizeof *lookups);
    if (lookups == NULL || SSL_set_ex_data(ssl, lookups_index, lookups) == 1)
        return lookups;
    OPENSSL_free(lookups);
    return NULL;
}

static bool may_look_up(SSL *ssl)
{
    unsigned char hello[SSL3_RANDOM_SIZE] = {0};
    struct lookups *lookups = lookups_of(ssl);
    if (lookups == NULL)
        return false;
    (void)SSL_get_client_random(ssl, hello, sizeof hello);
    if (memcmp(lookups->hello, hello, sizeof hello) != 0) {
        memcpy(lookups->hello, hello, sizeof hello);
        lookups->count = 0;
    }
    return lookups->count++ < LOOKUPS_MAX;
}

static SSL_SESSION *get_session(SSL *ssl, const unsigned char *id, int id_len, int *copy)
{
    const struct jtgo_early_data *guard = jtgo_early_data_of(ssl);
    struct session_key key;
    jtg_value value = JTG_VALUE_INIT;
    jtg_status status;
    *copy = 0; /* it is given away */
    if (guard == NULL || guard->options.sessions == NULL || id_len <= 0 || !may_look_up(ssl) ||
        !make_key(&key, SSL_version(ssl), id, (size_t)id_len))
        return NULL;
    if (SSL_version(ssl) == TLS1_3_VERSION)
        status = jtg_cache_take(guard->options.sessions, &key.key, &value, NULL);
    else
        status = jtg_cache_get(guard->options.sessions, &key.key, &value, NULL);
    SSL_SESSION *session = status == JTG_OK ? read_value(guard, &value, id, (size_t)id_len) : NULL;
    jtg_value_clear(&value);
    return session;
}

/* ---- drop ---- */

/* Of a session that is not to be resumed. Where the store does not answer, the session ends with
 * its time. */
static void remove_session(SSL_CTX *context, SSL_SESSION *session)
{
    const struct jtgo_early_data *guard = jtgo_early_data_of_context(context);
    struct session_key key;
    if (guard == NULL || guard->options.sessions == NULL || !make_key_of(&key, session))
        return;
    jtg_status ignored = jtg_cache_drop(guard->options.sessions, &key.key, NULL);
    (void)ignored;
}

/* ---- installing ---- */

bool jtgo_stored_session_is_taken(SSL_CTX *context)
{
    return SSL_CTX_sess_get_new_cb(context) != NULL || SSL_CTX_sess_get_get_cb(context) != NULL ||
           SSL_CTX_sess_get_remove_cb(context) != NULL;
}

bool jtgo_stored_session_install(SSL_CTX *context)
{
    if (CRYPTO_THREAD_run_once(&index_once, make_index) != 1 || lookups_index < 0)
        return false;
    (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(context,
                                         SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, new_session);
    SSL_CTX_sess_set_get_cb(context, get_session);
    SSL_CTX_sess_set_remove_cb(context, remove_session);
    return true;
}
