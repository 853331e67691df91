/* SPDX-License-Identifier: Apache-2.0 */
/* A Sentinel, a primary and a Cluster that are reached over TLS: each by the name that its
 * certificate carries, and none in clear. */
#include "support/asserts.h"
#include "support/ports.h"
#include "support/redis_topology.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_BYTES = 96, WORDS = 18 /* the last is NULL */ };

static char folder[] = "/tmp/jtiguard-tls.XXXXXX";
static char files[3][FILE_BYTES]; /* certificate, key, authority */
static char tls_ports[3][8];
static struct redis_server primary;
static struct redis_server sentinel;
static struct redis_server node;

static int run(const char *program, const char *argument)
{
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        (void)execlp(program, program, argument, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void make_options(const char *options[WORDS], unsigned server, const char *first,
                         const char *second)
{
    const char *made[WORDS] = {"--tls-port",
                               tls_ports[server],
                               "--tls-cert-file",
                               files[0],
                               "--tls-key-file",
                               files[1],
                               "--tls-ca-cert-file",
                               files[2],
                               "--tls-auth-clients",
                               "no",
                               first,
                               first == NULL ? NULL : "yes",
                               second,
                               second == NULL ? NULL : "yes"};
    /* Where the nodes talk to each other over TLS, their bus stands above this port. */
    (void)snprintf(tls_ports[server], sizeof tls_ports[server], "%u",
                   (unsigned)port_take_with_bus());
    memcpy(options, made, sizeof made);
}

static void start_sentinel(void)
{
    const char *options[WORDS];
    char line[96];
    char reply[64];
    make_options(options, 1, "--tls-replication", NULL);
    redis_server_start_sentinel(&sentinel, options);
    (void)snprintf(line, sizeof line, "SENTINEL MONITOR main 127.0.0.1 %s 1", tls_ports[0]);
    assert_true(redis_server_ask(&sentinel, line, reply, sizeof reply));
    assert_string_equal(reply, "+OK");
}

static void start_node(void)
{
    const char *options[WORDS];
    char reply[64];
    /* Without the second the nodes name their ports in clear. */
    make_options(options, 2, "--cluster-enabled", "--tls-cluster");
    options[WORDS - 4] = "--bind";
    options[WORDS - 3] = "127.0.0.1";
    options[WORDS - 2] = "127.0.0.2";
    redis_server_start(&node, options);
    assert_true(redis_server_ask(&node, "CLUSTER ADDSLOTSRANGE 0 16383", reply, sizeof reply));
    assert_true(redis_server_comes_to_say(&node, "GET foo", "$-1"));
}

static int start(void **state)
{
    static const char *const names[] = {"server.pem", "server.key", "ca.pem"};
    const char *options[WORDS];
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(run(JTIGUARD_CERTIFICATES, folder), 0);
    for (unsigned i = 0; i < 3; i++)
        (void)snprintf(files[i], FILE_BYTES, "%s/%s", folder, names[i]);
    make_options(options, 0, NULL, NULL);
    redis_server_start(&primary, options);
    start_sentinel();
    start_node();
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&sentinel);
    redis_server_stop(&primary);
    redis_server_stop(&node);
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* As `scheme://host:PORT` and the rest. */
static jtg_status reserve_at(const char *scheme, const char *host, const char *port,
                             const char *path, const char *query)
{
    jtg_cache *cache = NULL;
    jtg_owner owner;
    jtg_key key = {"jti", 3, NULL, 0};
    char uri[512];
    (void)snprintf(uri, sizeof uri, "%s://%s:%s%s?timeout=2s&ca=%s%s", scheme, host, port, path,
                   files[2], query);
    assert_status(jtg_redis_new_uri(&cache, uri, NULL), JTG_OK);
    jtg_owner_generate(&owner);
    jtg_status status = jtg_cache_reserve(cache, &key, &owner, 1000, NULL);
    if (status == JTG_OK)
        status = jtg_cache_release(cache, &key, &owner, NULL);
    jtg_cache_free(cache);
    return status;
}

static jtg_status reserve(const char *scheme, const char *port, const char *path, const char *query)
{
    return reserve_at(scheme, "127.0.0.1", port, path, query);
}

static void sentinels_and_primary(void **state)
{
    char port[8];
    (void)state;
    assert_status(reserve("rediss+sentinel", tls_ports[1], "/main", ""), JTG_OK);
    (void)snprintf(port, sizeof port, "%u", (unsigned)sentinel.port);
    assert_status(reserve("rediss+sentinel", port, "/main", "&sentinel_tls=no"), JTG_OK);
    /* The name is that of the primary alone: the Sentinels go by the list. */
    assert_status(reserve("rediss+sentinel", tls_ports[1], "/main", "&server_name=localhost"),
                  JTG_OK);
}

/* The certificate carries redis-tls, and a name is that of the list, wherever it is mapped to. */
static void a_sentinel_where_the_map_says(void **state)
{
    (void)state;
    assert_status(reserve_at("rediss+sentinel", "redis-tls", tls_ports[1], "/main",
                             "&address_map=redis-tls=127.0.0.1"),
                  JTG_OK);
    assert_status(reserve_at("rediss+sentinel", "inner.invalid", tls_ports[1], "/main",
                             "&address_map=inner.invalid=127.0.0.1"),
                  JTG_ERR_UNAVAILABLE);
}

static void another_name_is_refused(void **state)
{
    (void)state;
    assert_status(reserve("rediss+sentinel", tls_ports[1], "/main", "&server_name=other.example"),
                  JTG_ERR_UNAVAILABLE);
    assert_status(reserve("rediss+cluster", tls_ports[2], "/", "&server_name=other.example"),
                  JTG_ERR_UNAVAILABLE);
}

/* A Sentinel without TLS is not talked to by one who wants TLS. */
static void clear_is_no_answer(void **state)
{
    char port[8];
    (void)state;
    (void)snprintf(port, sizeof port, "%u", (unsigned)sentinel.port);
    assert_status(reserve("rediss+sentinel", port, "/main", ""), JTG_ERR_UNAVAILABLE);
    (void)snprintf(port, sizeof port, "%u", (unsigned)node.port);
    assert_status(reserve("rediss+cluster", port, "/", ""), JTG_ERR_UNAVAILABLE);
}

static void a_cluster_and_its_nodes(void **state)
{
    (void)state;
    assert_status(reserve("rediss+cluster", tls_ports[2], "/", ""), JTG_OK);
    assert_status(reserve("rediss+cluster", tls_ports[2], "/", "&server_name=localhost"), JTG_OK);
}

static void tell_node(const char *line)
{
    char reply[64];
    assert_true(redis_server_ask(&node, line, reply, sizeof reply));
    assert_string_equal(reply, "+OK");
}

/* The certificate carries localhost and 127.0.0.1, and not 127.0.0.2. */
static void either_host_of_a_node_will_do(void **state)
{
    static const struct {
        const char *preferred;
        const char *name;
        const char *ip;
        jtg_status status;
    } cases[] = {
        {"ip", "pod-0.internal.invalid", "127.0.0.1", JTG_OK},
        {"hostname", "pod-0.internal.invalid", "127.0.0.1", JTG_OK}, /* not resolved */
        {"ip", "localhost", "127.0.0.2", JTG_OK},
        {"ip", "pod-0.internal.invalid", "127.0.0.2", JTG_ERR_UNAVAILABLE},
        {"unknown-endpoint", "pod-0.internal.invalid", "127.0.0.2", JTG_OK},
    };
    char line[96];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(line, sizeof line, "CONFIG SET cluster-preferred-endpoint-type %s",
                       cases[i].preferred);
        tell_node(line);
        (void)snprintf(line, sizeof line, "CONFIG SET cluster-announce-hostname %s", cases[i].name);
        tell_node(line);
        (void)snprintf(line, sizeof line, "CONFIG SET cluster-announce-ip %s", cases[i].ip);
        tell_node(line);
        assert_status(reserve("rediss+cluster", tls_ports[2], "/", ""), cases[i].status);
        if (cases[i].status != JTG_OK)
            assert_status(reserve("rediss+cluster", tls_ports[2], "/", "&server_name=localhost"),
                          JTG_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentinels_and_primary),         cmocka_unit_test(a_cluster_and_its_nodes),
        cmocka_unit_test(a_sentinel_where_the_map_says), cmocka_unit_test(another_name_is_refused),
        cmocka_unit_test(either_host_of_a_node_will_do), cmocka_unit_test(clear_is_no_answer),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
