/* SPDX-License-Identifier: Apache-2.0 */
/* What the service is told, read from its sources. Read only once it stands; a reload makes
 * another one. */
#ifndef SERVE_SERVICE_SETTINGS_H
#define SERVE_SERVICE_SETTINGS_H

#include "serve/http/address.h"
#include "serve/settings/issuer_list.h"
#include "serve/settings/merged.h"
#include "serve/settings/secrets.h"
#include "settings.h"

enum {
    SERVICE_LISTENERS_LIMIT = 8, /* of each list */
    SERVICE_THREADS_LIMIT = 256,
    SERVICE_CONNECTIONS_DEFAULT = 4096,
    SERVICE_CONNECTIONS_LIMIT = 1000000,
    SERVICE_HEADER_BYTES_DEFAULT = 32768,
    SERVICE_HEADER_BYTES_LEAST = 4096,
    SERVICE_HEADER_BYTES_LIMIT = 1048576,
    SERVICE_BODY_BYTES_DEFAULT = 65536,
    SERVICE_BODY_BYTES_LEAST = 1024,
    SERVICE_BODY_BYTES_LIMIT = 16777216,
    SERVICE_BATCH_DEFAULT = 100,
    SERVICE_BATCH_LIMIT = 10000,
    SERVICE_REQUEST_TIMEOUT_S_DEFAULT = 10,
    SERVICE_KEEPALIVE_S_DEFAULT = 75,
    SERVICE_TIMEOUT_S_LIMIT = 3600,
    SERVICE_DRAIN_DELAY_S_DEFAULT = 0,
    SERVICE_DRAIN_TIMEOUT_S_DEFAULT = 10,
    SERVICE_DRAIN_S_LIMIT = 600,
    SERVICE_REPLAY_CACHE_DEFAULT = 65536,
    SERVICE_REPLAY_CACHE_LIMIT = 16777216,
    SERVICE_REPLAY_CACHE_S_DEFAULT = 10,
    SERVICE_REPLAY_CACHE_S_LIMIT = 300,
    SERVICE_OWNER_QUIET_S_DEFAULT = 5,
    SERVICE_OWNER_QUIET_S_LIMIT = 300,
    SERVICE_REFUSAL_BURST_DEFAULT = 20,
    SERVICE_REFUSAL_RATE_LIMIT = 100000,
    SERVICE_LIMITED_CLIENTS_DEFAULT = 65536,
    SERVICE_LOG_RATE_DEFAULT = 50,
    SERVICE_LOG_RATE_LIMIT = 100000,
    SERVICE_INSTANCES_LIMIT = 10000,
    SERVICE_SOCKET_MODE_DEFAULT = 0660,
    OWNER_CANDIDATES = 3 /* whom the store may be asked about for one request (owner_window.h) */
};

#define SERVICE_LISTEN_DEFAULT       "127.0.0.1:9870"
#define SERVICE_ADMIN_LISTEN_DEFAULT "127.0.0.1:9871"

/* How the method and the URL that the client used are learnt, for DPoP. */
enum target_from {
    TARGET_FROM_FORWARDED = 0, /* X-Forwarded-Method, -Proto, -Host, -Uri: Traefik, Caddy */
    TARGET_FROM_ORIGINAL,      /* X-Original-Method, X-Original-URL: nginx */
    TARGET_FROM_REQUEST        /* the request's own, behind public_url: Envoy */
};

/* By which clock the age of a proof is told. */
enum dpop_clock { DPOP_CLOCK_CLIENT = 0, DPOP_CLOCK_NONCE };

/* Refusals that a client may cause: rate a second on average, burst at once. rate 0: any. */
struct refusal_rule {
    uint32_t rate;
    uint32_t burst;
};

enum log_format { LOG_FORMAT_TEXT = 0, LOG_FORMAT_JSON };

struct service_settings {
    /* First, so that the tool's readers of values serve here too. Of it: store, guard, memory. */
    struct settings tool;
    struct merged merged; /* owns the strings of all the rest */
    json_t *single;       /* the list of one issuer, where options tell it */
    struct issuer_list issuers;
    struct verify_settings verify; /* issuers and guard are set by service_settings_read() */
    struct secrets api_secrets;
    struct networks trusted_proxies;

    struct text_list listen;
    struct text_list api_listen;
    struct text_list admin_listen;
    uint32_t socket_mode;
    uint32_t threads; /* 0: by the number of processors */
    uint32_t max_connections;
    uint32_t max_connections_per_client; /* 0: no limit */
    uint32_t max_header_bytes;
    uint32_t max_body_bytes;
    uint32_t max_batch;
    uint32_t request_timeout_s;
    uint32_t keepalive_timeout_s;
    uint32_t drain_delay_s;
    uint32_t drain_timeout_s;
    uint32_t instances;

    struct text_list form_fields;
    struct text_list trusted_proxy; /* as given */
    const char *owner_header;       /* NULL: none */
    bool owner_header_overwritten;  /* by the proxy, in every request: its operator says so */
    const char *client_header;
    const char *subject_header;
    const char *issuer_header;
    const char *public_url; /* NULL: none */
    uint32_t target_from;   /* enum target_from */
    bool forwarded_port;    /* with TARGET_FROM_FORWARDED: X-Forwarded-Port and -Prefix count too */
    bool forwarded_prefix;
    uint32_t keys_timeout_s;
    uint32_t keys_wait_s;
    uint32_t dpop_clock; /* enum dpop_clock */

    uint32_t replay_cache_entries;
    uint32_t replay_cache_s;
    uint32_t owner_quiet_s;
    struct refusal_rule refusals;
    uint32_t limited_clients;

    const char *api_secret; /* as given, wiped with the sources */
    const char *nonce_key;
    unsigned char nonce_key_bytes[DPOP_NONCE_KEY_BYTES];

    uint32_t log_format; /* enum log_format */
    uint32_t log_level;  /* jtg_log_level */
    uint32_t log_rate;
};

struct service_settings service_settings_default(void);

/* Whether the API is served: there is a secret, or an address of its own. */
bool service_settings_offer_api(const struct service_settings *settings);

/* What the store may take of the time of an answer of /check, in milliseconds: with an owner header
 * it is asked several times. A token of the API asks once. 0: it is in memory. */
uint64_t service_settings_store_ms(const struct service_settings *settings);

/* How often one answer of /check asks the store. */
unsigned service_settings_store_calls(const struct service_settings *settings);

#endif
