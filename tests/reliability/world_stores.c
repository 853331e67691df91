/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/world.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORWARDER_HOST = 3, PORT = 6379, LINK_PATH_BYTES = 160 };

static bool are_primaries(struct world *world)
{
    return server_role(&world->servers[0]).is_primary && server_role(&world->servers[1]).is_primary;
}

/* ---- a forwarder ---- */

static void found_forwarder(struct world *world)
{
    static const unsigned targets[FORWARDER_TARGETS] = {FIRST_SERVER, FIRST_SERVER + 1};
    forwarder_start(&world->forwarder, FORWARDER_HOST, PORT, targets);
}

static void lead_forwarder(struct world *world, unsigned place)
{
    forwarder_lead(&world->forwarder, place);
    world->place = place;
}

static void lead_anywhere(struct world *world, unsigned place)
{
    (void)place;
    forwarder_lead_to_all(&world->forwarder);
}

static void leave_forwarder(struct world *world)
{
    forwarder_stop(&world->forwarder);
}

/* ---- a name with two addresses, of which one is reached ---- */

static void found_name(struct world *world)
{
    char path[LINK_PATH_BYTES];
    snprintf(path, sizeof path, "%s/hosts", world->folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "127.0.0.1 localhost\n10.77.0.1 store.example\n10.77.0.2 store.example\n");
    assert_int_equal(fclose(file), 0);
    if (mount(path, "/etc/hosts", NULL, MS_BIND, NULL) != 0)
        fail_msg(
            "the names of this run cannot be had: /etc/hosts is not there, or is none of ours");
    hosts_cut_off(FIRST_SERVER + 1);
}

static void lead_name(struct world *world, unsigned place)
{
    hosts_cut_off(FIRST_SERVER + 1 - place);
    hosts_join(FIRST_SERVER + place);
    world->place = place;
}

static void leave_name(struct world *world)
{
    (void)world;
    (void)umount("/etc/hosts");
}

/* ---- the path of a unix socket, a symbolic link ---- */

static void point_link(struct world *world, unsigned place)
{
    char target[LINK_PATH_BYTES];
    char made[LINK_PATH_BYTES];
    char path[LINK_PATH_BYTES];
    snprintf(target, sizeof target, "%s/socket", world->servers[place].folder);
    snprintf(made, sizeof made, "%s/made", world->folder);
    snprintf(path, sizeof path, "%s/store", world->folder);
    assert_int_equal(symlink(target, made), 0);
    assert_int_equal(rename(made, path), 0);
    world->place = place;
}

static void found_link(struct world *world)
{
    point_link(world, 0);
    int len = snprintf(world->uri, sizeof world->uri, "unix://%s/store", world->folder);
    assert_in_range(len, 1, sizeof world->uri - 1);
}

static void lead_link(struct world *world, unsigned place)
{
    struct server *left = &world->servers[world->place];
    point_link(world, place);
    redisReply *reply = server_ask(left, "CLIENT KILL TYPE normal");
    assert_true(reply != NULL && reply->type == REDIS_REPLY_INTEGER);
    freeReplyObject(reply);
}

const struct topology topology_forwarder = {
    .name = "forwarder",
    .servers = 2,
    .parts = 1,
    .kinds = KIND(INCIDENT_EXCHANGE),
    .server_lines = "",
    .found = found_forwarder,
    .is_whole = are_primaries,
    .lead = lead_forwarder,
    .leave = leave_forwarder,
    .uri = "redis://10.77.0.3:6379/0",
};

const struct topology topology_name = {
    .name = "name",
    .servers = 2,
    .parts = 1,
    .kinds = KIND(INCIDENT_EXCHANGE),
    .server_lines = "",
    .found = found_name,
    .is_whole = are_primaries,
    .lead = lead_name,
    .leave = leave_name,
    .uri = "redis://store.example:6379/0",
};

const struct topology topology_link = {
    .name = "link",
    .servers = 2,
    .parts = 1,
    .kinds = KIND(INCIDENT_EXCHANGE),
    .server_lines = "unixsocket socket\n",
    .found = found_link,
    .is_whole = are_primaries,
    .lead = lead_link,
};

/* It leads to one until the first incident, so that every process is served at first. */
const struct topology topology_balancer = {
    .name = "balancer",
    .servers = 2,
    .parts = 1,
    .splits = true,
    .kinds = KIND(INCIDENT_SHUFFLE),
    .server_lines = "",
    .found = found_forwarder,
    .is_whole = are_primaries,
    .lead = lead_anywhere,
    .leave = leave_forwarder,
    .uri = "redis://10.77.0.3:6379/0",
};
