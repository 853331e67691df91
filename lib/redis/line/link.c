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
static void begin(struct jtgi_links *links, struct jtgi_dialer *dialer,
                  const struct jtgi_address *address, struct jtgi_link_names names)
{
    struct jtgi_address reached = *address;
    memset(links, 0, sizeof *links);
    jtgi_address_map_apply(dialer->config->options.address_map, &reached);
    links->dialer = dialer;
    links->address = address;
    links->names = names;
    links->fd = -1;
    jtgi_targets_init(&links->targets, &reached);
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

void jtgi_links_begin(struct jtgi_links *links, struct jtgi_dialer *dialer,
                      const struct jtgi_address *address)
{
    const jtg_redis_options *options = &dialer->config->options;
    begin(links, dialer, address, names_for(address, options->tls != 0, options->tls_server_name));
}

jtg_status jtgi_links_find(struct jtgi_links *links, int64_t deadline_ns, jtg_error *err)
{
    return jtgi_targets_find(&links->targets, &links->dialer->resolver, deadline_ns, err);
}

/* Descriptor and session are a connection's by now, or closed. */
static void forget_opened(struct jtgi_links *links)
{
    links->fd = -1;
    links->session = NULL;
    links->is_connected = false;
}

static void close_opened(struct jtgi_links *links)
{
    struct jtgi_transport transport;
    jtgi_transport_init(&transport, links->fd, links->session, links->dialer->waiter);
    jtgi_transport_close(&transport);
    forget_opened(links);
}

void jtgi_links_end(struct jtgi_links *links)
{
    close_opened(links);
    jtgi_targets_clear(&links->targets);
}

/* ---- to the next: socket, TLS, connection ---- */

static jtg_status connect_next(struct jtgi_links *links, int64_t deadline_ns, jtg_error *err)
{
    const struct jtgi_dialer *dialer = links->dialer;
    if (links->is_connected)
        return JTG_OK;
    if (links->fd < 0) {
        jtgi_residence_init(&links->residence, dialer->waiter);
        if (links->targets.address.unix_path != NULL)
            jtgi_residence_look_at_path(&links->residence, links->targets.address.unix_path);
    }
    jtg_status status = jtgi_targets_connect(&links->targets, dialer->config->options.keepalive_s,
                                             dialer->waiter, deadline_ns, &links->fd, err);
    links->is_connected = status == JTG_OK;
    return status;
}

static jtg_status secure(struct jtgi_links *links, int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_dialer *dialer = links->dialer;
    if (links->names.name == NULL)
        return JTG_OK;
    return jtgi_tls_connect(dialer->tls, links->names.name, links->names.other, links->fd,
                            dialer->waiter, deadline_ns, &links->session, err);
}

/* On success the connection owns descriptor and session. */
static jtg_status make_connection(struct jtgi_links *links, struct jtgi_connection **connection,
                                  jtg_error *err)
{
    struct jtgi_transport transport;
    jtgi_transport_init(&transport, links->fd, links->session, links->dialer->waiter);
    jtg_status status = jtgi_connection_new(connection, &transport, err);
    if (status != JTG_OK)
        return status;
    jtgi_residence_settle(&links->residence, &links->targets.address, links->fd,
                          links->dialer->config->options.max_age_s);
    (*connection)->residence = links->residence;
    jtgi_address_format(links->address, (*connection)->server, sizeof(*connection)->server);
    forget_opened(links);
    return JTG_OK;
}

jtg_status jtgi_links_next(struct jtgi_links *links, int64_t deadline_ns,
                           struct jtgi_connection **connection, jtg_error *err)
{
    jtg_status status = connect_next(links, deadline_ns, err);
    if (status == JTG_OK)
        status = secure(links, deadline_ns, err);
    if (status == JTG_OK)
        status = make_connection(links, connection, err);
    if (status != JTG_OK && status != JTGI_LATER)
        close_opened(links);
    return status;
}

/* ---- one, for who waits ---- */

/* Only who waits comes here: LATER is none of the ends. */
static jtg_status find_and_open(struct jtgi_links *links, int64_t deadline_ns,
                                struct jtgi_connection **connection, jtg_error *err)
{
    jtg_status status = jtgi_links_find(links, deadline_ns, err);
    bool goes_on = status == JTG_OK;
    while (goes_on) {
        err->text[0] = '\0';
        status = jtgi_links_next(links, jtgi_targets_share(&links->targets, deadline_ns),
                                 connection, err);
        goes_on = status == JTG_ERR_UNAVAILABLE && jtgi_targets_left(&links->targets) &&
                  jtgi_now_ns() < deadline_ns;
    }
    return status == JTGI_LATER ? JTG_ERR_UNAVAILABLE : status;
}

/* The first that can be reached, and ends them. */
static jtg_status open_one(struct jtgi_links *links, int64_t deadline_ns,
                           struct jtgi_connection **connection, jtg_error *err)
{
    jtg_error last = JTG_ERROR_INIT;
    jtg_status status = find_and_open(links, deadline_ns, connection, &last);
    jtgi_links_end(links);
    return status == JTG_OK ? JTG_OK
                            : jtg_error_set(err, status, last.system_errno, "%s", last.text);
}

jtg_status jtgi_link_open(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                          int64_t deadline_ns, struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_links links;
    jtgi_links_begin(&links, dialer, address);
    return open_one(&links, deadline_ns, connection, err);
}

jtg_status jtgi_link_open_sentinel(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                                   const char *tls_name, int64_t deadline_ns,
                                   struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_links links;
    bool tls = dialer->config->options.sentinel_tls != 0;
    begin(&links, dialer, address, names_for(address, tls, tls_name));
    return open_one(&links, deadline_ns, connection, err);
}

/* ---- */

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
