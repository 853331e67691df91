/* SPDX-License-Identifier: Apache-2.0 */
/* A build without OpenSSL: the same functions, which say so. A program links either way. */
#include <jtiguard/status.h>
#include <jtiguard/ticket_keys.h>

static jtg_status say_absent(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                         "ticket keys: this build has none (libssl-dev was missing)");
}

static bool refuse(jtg_ticket_reason *reason, jtg_error *err)
{
    (void)say_absent(err);
    if (reason != NULL)
        *reason = JTG_TICKET_INTERNAL;
    return false;
}

static void set_no_renewal(uint32_t *renew)
{
    if (renew != NULL)
        *renew = 0;
}

static void set_none(size_t *len)
{
    if (len != NULL)
        *len = 0;
}

void jtg_ticket_options_init(jtg_ticket_options *options)
{
    static const jtg_ticket_options defaults = JTG_TICKET_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

jtg_status jtg_ticket_keys_new(jtg_ticket_keys **keys, jtg_cache *cache,
                               const jtg_ticket_options *options, jtg_error *err)
{
    (void)cache;
    (void)options;
    if (keys != NULL)
        *keys = NULL;
    return say_absent(err);
}

void jtg_ticket_keys_free(jtg_ticket_keys *keys)
{
    (void)keys;
}

jtg_status jtg_ticket_keys_refresh(jtg_ticket_keys *keys, jtg_error *err)
{
    (void)keys;
    return say_absent(err);
}

jtg_status jtg_ticket_keys_load(jtg_ticket_keys *keys, jtg_error *err)
{
    (void)keys;
    return say_absent(err);
}

jtg_status jtg_ticket_keys_rotate(jtg_ticket_keys *keys, jtg_error *err)
{
    (void)keys;
    return say_absent(err);
}

jtg_status jtg_ticket_keys_revoke(jtg_ticket_keys *keys, jtg_error *err)
{
    (void)keys;
    return say_absent(err);
}

uint64_t jtg_ticket_keys_counter(const jtg_ticket_keys *keys, jtg_ticket_reason reason)
{
    (void)keys;
    (void)reason;
    return 0;
}

void jtg_ticket_session_clear(jtg_ticket_session *session)
{
    (void)session;
}

bool jtg_ticket_seal(jtg_ticket_keys *keys, const jtg_ticket_session *session, void *ticket,
                     size_t *ticket_len, jtg_ticket_reason *reason, jtg_error *err)
{
    (void)keys;
    (void)session;
    (void)ticket;
    set_none(ticket_len);
    return refuse(reason, err);
}

bool jtg_ticket_open(jtg_ticket_keys *keys, const void *ticket, size_t ticket_len,
                     jtg_ticket_session *session, jtg_ticket_reason *reason, jtg_error *err)
{
    (void)keys;
    (void)ticket;
    (void)ticket_len;
    (void)session;
    return refuse(reason, err);
}

bool jtg_ticket_seal_bytes(jtg_ticket_keys *keys, const void *data, size_t data_len,
                           uint32_t lifetime_s, void *ticket, size_t *ticket_len,
                           jtg_ticket_reason *reason, jtg_error *err)
{
    (void)keys;
    (void)data;
    (void)data_len;
    (void)lifetime_s;
    (void)ticket;
    set_none(ticket_len);
    return refuse(reason, err);
}

bool jtg_ticket_open_bytes(jtg_ticket_keys *keys, const void *ticket, size_t ticket_len, void *data,
                           size_t *data_len, uint32_t *renew, jtg_ticket_reason *reason,
                           jtg_error *err)
{
    (void)keys;
    (void)ticket;
    (void)ticket_len;
    (void)data;
    set_no_renewal(renew);
    set_none(data_len);
    return refuse(reason, err);
}

bool jtg_ticket_cbc_seal_key(jtg_ticket_keys *keys, jtg_ticket_cbc_key *key,
                             jtg_ticket_reason *reason, jtg_error *err)
{
    (void)keys;
    (void)key;
    return refuse(reason, err);
}

bool jtg_ticket_cbc_open_key(jtg_ticket_keys *keys, const unsigned char name[JTG_TICKET_NAME_BYTES],
                             jtg_ticket_cbc_key *key, uint32_t *renew, jtg_ticket_reason *reason,
                             jtg_error *err)
{
    (void)keys;
    (void)name;
    (void)key;
    set_no_renewal(renew);
    return refuse(reason, err);
}

void jtg_ticket_cbc_key_clear(jtg_ticket_cbc_key *key)
{
    (void)key;
}

jtg_status jtg_ticket_keys_state_get(jtg_ticket_keys *keys, jtg_ticket_keys_state *state,
                                     jtg_error *err)
{
    (void)keys;
    (void)state;
    return say_absent(err);
}

uint32_t jtg_ticket_keys_lifetime_s(const jtg_ticket_keys *keys)
{
    (void)keys;
    return 0;
}

jtg_status jtg_ticket_keys_export_nginx(jtg_ticket_keys *keys, const char *folder, jtg_error *err)
{
    (void)keys;
    (void)folder;
    return say_absent(err);
}

jtg_status jtg_ticket_keys_export_haproxy(jtg_ticket_keys *keys, const char *path, jtg_error *err)
{
    (void)keys;
    (void)path;
    return say_absent(err);
}
