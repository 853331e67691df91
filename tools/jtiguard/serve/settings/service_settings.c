/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/service_settings.h"

#include "store.h"

struct service_settings service_settings_default(void)
{
    struct service_settings settings = {
        .verify = VERIFY_SETTINGS_INIT,
        .socket_mode = SERVICE_SOCKET_MODE_DEFAULT,
        .max_connections = SERVICE_CONNECTIONS_DEFAULT,
        .max_header_bytes = SERVICE_HEADER_BYTES_DEFAULT,
        .max_body_bytes = SERVICE_BODY_BYTES_DEFAULT,
        .max_batch = SERVICE_BATCH_DEFAULT,
        .request_timeout_s = SERVICE_REQUEST_TIMEOUT_S_DEFAULT,
        .keepalive_timeout_s = SERVICE_KEEPALIVE_S_DEFAULT,
        .drain_delay_s = SERVICE_DRAIN_DELAY_S_DEFAULT,
        .drain_timeout_s = SERVICE_DRAIN_TIMEOUT_S_DEFAULT,
        .instances = 1,
        .client_header = "X-Forwarded-For",
        .subject_header = "X-JTI-Subject",
        .issuer_header = "X-JTI-Issuer",
        .keys_timeout_s = KEYS_TIMEOUT_MS_DEFAULT / 1000,
        .keys_wait_s = KEYS_WAIT_MS_DEFAULT / 1000,
        .replay_cache_entries = SERVICE_REPLAY_CACHE_DEFAULT,
        .replay_cache_s = SERVICE_REPLAY_CACHE_S_DEFAULT,
        .owner_quiet_s = SERVICE_OWNER_QUIET_S_DEFAULT,
        .refusals = {0, SERVICE_REFUSAL_BURST_DEFAULT},
        .limited_clients = SERVICE_LIMITED_CLIENTS_DEFAULT,
        .log_level = JTG_LOG_INFO,
        .log_rate = SERVICE_LOG_RATE_DEFAULT,
    };
    settings_init(&settings.tool);
    settings.tool.store = NULL; /* the environment is one of the sources here */
    settings.tool.store_default = STORE_DEFAULT_EITHER;
    return settings;
}

bool service_settings_offer_api(const struct service_settings *settings)
{
    return settings->api_secrets.count > 0 || settings->api_listen.count > 0;
}

unsigned service_settings_store_calls(const struct service_settings *settings)
{
    return settings->owner_header != NULL ? OWNER_CANDIDATES : 1;
}

uint64_t service_settings_store_ms(const struct service_settings *settings)
{
    return (uint64_t)service_settings_store_calls(settings) * store_timeout_ms(&settings->tool);
}
