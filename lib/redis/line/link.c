/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/link.h"

#include "redis/line/deadline.h"
#include "redis/line/tls/tls.h"
#include "redis/say/address/address_map.h"

#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>

/* With a name that was configured it is that one, else the host or the other host. Both come from
 * where the address does, and a Cluster's certificates carry the one or the other. */
static struct jtgi_link_names names_for(const struct jtgi_address *address, bool tls,
                                        const char *configured)
{
    struct jtgi_link_names names = {NULL, NULL};
    if (!tls)
        return names;
    names.name = configured != NULL ? configured : address->host;
    names.other = configured != NULL || address->other_host[0] == '\0' ? NULL : address->other_host;
    return names;
}

/* Every connection is opened below, so in this file alone addresses are mapped. A certificate
 * carries what its server announces, so the names are those from before. */
static jtg_status begin(struct jtgi_links *links, struct jtgi_dialer *dialer,
                        const struct jtgi_address *address, struct jtgi_link_names names,
                        int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_address reached = *address;
    jtgi_address_map_apply(dialer->config->options.address_map, &reached);
    links->dialer = dialer;
    links->address = address;
    links->names = names;
    return jtgi_targets_find(&links->targets, &reached, &dialer->resolver, deadline_ns, err);
}

/* So much of an address that the cause has room behind it. */
enum { PLACE_BYTES = 96 };

static void format_place(const struct jtgi_dialer *dialer, const struct jtgi_address *address,
                         char text[PLACE_BYTES])
{
    char known[JTGI_ADDRESS_MAX_BYTES];
    char mapped[JTGI_ADDRESS_MAX_BYTES];
    struct jtgi_address reached = *address;
    jtgi_address_map_apply(dialer->config->options.address_map, &reached);
    jtgi_address_format(address, known, sizeof known);
    jtgi_address_format(&reached, mapped, sizeof mapped);
    if (jtgi_address_equals(address, &reached))
        (void)snprintf(text, PLACE_BYTES, "%.*s", PLACE_BYTES - 1, known);
    else
        (void)snprintf(text, PLACE_BYTES, "%.40s, mapped to %.40s", known, mapped);
}

jtg_status jtgi_link_tell(const struct jtgi_dialer *dialer, const struct jtgi_address *address,
                          jtg_status status, const jtg_error *why, jtg_error *err)
{
    static const char head[] = "redis: ";
    char place[PLACE_BYTES];
    if (status == JTG_OK)
        return status;
    if (status == JTG_ERR_MEMORY || address == NULL ||
        strncmp(why->text, head, sizeof head - 1) != 0)
        return jtg_error_set(err, status, why->system_errno, "%s", why->text);
    format_place(dialer, address, place);
    return jtg_error_set(err, status, why->system_errno, "redis: %s: %s", place,
                         why->text + sizeof head - 1);
}

jtg_status jtgi_link_find_all(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                              int64_t deadline_ns, struct jtgi_address *list, unsigned *count,
                              jtg_error *err)
{
    struct jtgi_address reached = *address;
    jtgi_address_map_apply(dialer->config->options.address_map, &reached);
    jtg_status status = jtgi_resolver_all(&dialer->resolver, reached.host, reached.port,
                                          deadline_ns, list, JTG_REDIS_ADDRESSES_LIMIT, count, err);
    for (unsigned i = 0; status == JTG_OK && i < *count; i++)
        list[i].mapped = reached.mapped;
    return status;
}

jtg_status jtgi_links_begin(struct jtgi_links *links, struct jtgi_dialer *dialer,
                            const struct jtgi_address *address, int64_t deadline_ns, jtg_error *err)
{
    const jtg_redis_options *options = &dialer->config->options;
    return begin(links, dialer, address,
                 names_for(address, options->tls != 0, options->tls_server_name), deadline_ns, err);
}

void jtgi_links_end(struct jtgi_links *links)
{
    jtgi_targets_clear(&links->targets);
}

/* On success the connection owns descriptor and session. */
jtg_status jtgi_links_next(struct jtgi_links *links, int64_t deadline_ns,
                           struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_dialer *dialer = links->dialer;
    struct jtgi_tls_session *session = NULL;
    struct jtgi_transport transport;
    struct jtgi_residence residence;
    int fd = -1;
    jtgi_residence_init(&residence, dialer->waiter);
    if (links->targets.address.unix_path != NULL)
        jtgi_residence_look_at_path(&residence, links->targets.address.unix_path);
    jtg_status status = jtgi_targets_connect(&links->targets, dialer->config->options.keepalive_s,
                                             dialer->waiter, deadline_ns, &fd, err);
    if (status != JTG_OK)
        return status;
    if (links->names.name != NULL)
        status = jtgi_tls_connect(dialer->tls, links->names.name, links->names.other, fd,
                                  dialer->waiter, deadline_ns, &session, err);
    jtgi_transport_init(&transport, fd, session, dialer->waiter);
    if (status == JTG_OK)
        status = jtgi_connection_new(connection, &transport, err);
    if (status != JTG_OK) {
        jtgi_transport_close(&transport);
        return status;
    }
    jtgi_residence_settle(&residence, &links->targets.address, fd,
                          dialer->config->options.max_age_s);
    (*connection)->residence = residence;
    jtgi_address_format(links->address, (*connection)->server, sizeof(*connection)->server);
    return JTG_OK;
}

/* The first that can be reached, and ends them. */
static jtg_status open_one(struct jtgi_links *links, int64_t deadline_ns,
                           struct jtgi_connection **connection, jtg_error *err)
{
    jtg_error last = JTG_ERROR_INIT;
    jtg_status status = JTG_OK;
    do {
        last.text[0] = '\0';
        status = jtgi_links_next(links, jtgi_targets_share(&links->targets, deadline_ns),
                                 connection, &last);
    } while (status == JTG_ERR_UNAVAILABLE && jtgi_targets_left(&links->targets) &&
             jtgi_now_ns() < deadline_ns);
    jtgi_links_end(links);
    return status == JTG_OK ? JTG_OK
                            : jtg_error_set(err, status, last.system_errno, "%s", last.text);
}

jtg_status jtgi_link_open(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                          int64_t deadline_ns, struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_links links;
    jtg_status status = jtgi_links_begin(&links, dialer, address, deadline_ns, err);
    return status == JTG_OK ? open_one(&links, deadline_ns, connection, err) : status;
}

jtg_status jtgi_link_open_sentinel(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                                   const char *tls_name, int64_t deadline_ns,
                                   struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_links links;
    bool tls = dialer->config->options.sentinel_tls != 0;
    jtg_status status =
        begin(&links, dialer, address, names_for(address, tls, tls_name), deadline_ns, err);
    return status == JTG_OK ? open_one(&links, deadline_ns, connection, err) : status;
}

jtg_status jtgi_link_ask_each(struct jtgi_connection *connection,
                              const struct jtgi_command *command, const struct jtgi_taker *taker,
                              int64_t deadline_ns, redisReply **reply, jtg_error *err)
{
    struct jtgi_fault fault;
    size_t sent = 0;
    *reply = NULL;
    if (command->failed)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for a command");
    if (jtgi_connection_send(connection, command->bytes, command->len, &sent, deadline_ns, &fault))
        *reply = taker == NULL
                     ? jtgi_connection_receive(connection, deadline_ns, &fault)
                     : jtgi_connection_receive_each(connection, taker, deadline_ns, &fault);
    if (*reply == NULL)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: %s", fault.text);
    return JTG_OK;
}

jtg_status jtgi_link_ask(struct jtgi_connection *connection, const struct jtgi_command *command,
                         int64_t deadline_ns, redisReply **reply, jtg_error *err)
{
    return jtgi_link_ask_each(connection, command, NULL, deadline_ns, reply, err);
}
