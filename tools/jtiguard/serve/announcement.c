/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/announcement.h"

#include "store.h"

#include <jtiguard/version.h>
#include <stdio.h>
#include <string.h>

/* Four of them and the store's name fit into a line of the log. */
enum { LIST_BYTES = 128, MORE_BYTES = 16 };

struct list {
    char text[LIST_BYTES];
    size_t more; /* that did not fit */
};

static void append(struct list *list, const char *text)
{
    size_t len = strlen(list->text);
    if (list->more > 0 || len + 1 + strlen(text) >= LIST_BYTES - MORE_BYTES)
        list->more++;
    else
        (void)snprintf(list->text + len, LIST_BYTES - len, "%s%s", len > 0 ? " " : "", text);
}

/* NULL: there is nothing in it. */
static const char *end_list(struct list *list)
{
    size_t len = strlen(list->text);
    if (list->more > 0)
        (void)snprintf(list->text + len, LIST_BYTES - len, "%s%zu more", len > 0 ? " and " : "",
                       list->more);
    return list->text[0] != '\0' ? list->text : NULL;
}

static void list_issuers(struct list *list, const struct service_settings *settings)
{
    for (size_t i = 0; i < settings->issuers.count; i++) {
        const struct issuer_settings *entry = &settings->issuers.items[i];
        append(list, entry->issuer != NULL ? entry->issuer : entry->trust_domain);
    }
}

/* With the ports in use, where any was asked for. */
static void list_addresses(struct list *list, const struct announced *announced,
                           enum http_role role, const struct text_list *addresses)
{
    size_t at = 0;
    for (size_t i = 0; i < announced->server_count && at < addresses->count; i++) {
        if (http_server_role(announced->servers[i]) != role)
            continue;
        const char *text = addresses->items[at++];
        size_t len = strlen(text);
        char shown[LIST_BYTES];
        if (len > 2 && strcmp(text + len - 2, ":0") == 0)
            (void)snprintf(shown, sizeof shown, "%.*s:%u", (int)(len - 2), text,
                           (unsigned)http_server_listener(announced->servers[i])->port);
        else
            (void)snprintf(shown, sizeof shown, "%s", text);
        append(list, shown);
    }
}

void announcement_log(const struct announced *announced)
{
    const struct service_settings *settings = announced->settings;
    char store[STORE_NAME_BYTES];
    struct list issuers = {"", 0};
    struct list listen = {"", 0};
    struct list api_listen = {"", 0};
    struct list admin_listen = {"", 0};
    store_name(&settings->tool, announced->cache, store);
    list_issuers(&issuers, settings);
    list_addresses(&listen, announced, HTTP_MAIN, &settings->listen);
    list_addresses(&api_listen, announced, HTTP_API, &settings->api_listen);
    list_addresses(&admin_listen, announced, HTTP_ADMIN, &settings->admin_listen);
    const struct log_field fields[] = {{"store", store},
                                       {"version", jtg_version()},
                                       {"issuers", end_list(&issuers)},
                                       {"listen", end_list(&listen)},
                                       {"api_listen", end_list(&api_listen)},
                                       {"admin_listen", end_list(&admin_listen)},
                                       {NULL, NULL}};
    service_log_event(announced->log, JTG_LOG_INFO, "started", fields);
}
