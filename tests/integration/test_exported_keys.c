/* SPDX-License-Identifier: Apache-2.0 */
/* What `jtiguard ticket-keys export` writes, loaded by the servers that it is for: two of nginx and
 * two of HAProxy. A session goes from one to its twin, and outlives a rotation. */
#include "cli/run_tool.h"
#include "serve/processes.h"
#include "support/redis_server.h"
#include "support/tls_certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TWINS = 2, NAME_LEN = 32, PATH_BYTES = 128 };

enum kind { NGINX, HAPROXY, KINDS };
static const char *const kind_names[KINDS] = {"nginx", "haproxy"};

struct instance_of {
    struct process process;
    uint16_t port;
    char keys[PATH_BYTES];   /* what is exported for it */
    char config[PATH_BYTES]; /* its configuration */
};

static char folder[] = "/tmp/jtiguard-exports-XXXXXX";
static struct {
    char log[PATH_BYTES];
    char kek[PATH_BYTES];
    char openssl[PATH_BYTES];
    struct redis_server redis;
    struct tls_certificate certificate;
    struct instance_of servers[KINDS][TWINS];
} place;

/* ---- the tool ---- */

static void run_ticket_keys(struct tool_run *run, const char *const *words)
{
    /* A short lead, for the test waits it out. */
    const char *all[24] = {"ticket-keys", "--kek-file",         place.kek, "--publish-lead",
                           "2s",          "--refresh-interval", "1s",      "--margin",
                           "0s"};
    size_t count = 9;
    for (size_t i = 0; words[i] != NULL; i++)
        all[count++] = words[i];
    run_tool(run, all, "");
}

static void ticket_keys(const char *const *words)
{
    struct tool_run run;
    run_ticket_keys(&run, words);
    if (run.exit_code != 0)
        fail_msg("ticket-keys %s: exit %d, %s", words[0], run.exit_code, run.err);
    tool_run_clear(&run);
}
#define TICKET_KEYS(...) ticket_keys((const char *const[]){__VA_ARGS__, NULL})

/* The name of the key that seals now; "" where there is none. */
static void sealing_key(char name[NAME_LEN + 1])
{
    struct tool_run run;
    name[0] = '\0';
    run_ticket_keys(&run, (const char *const[]){"status", "--json", NULL});
    json_t *answer = json_loads(run.out, 0, NULL);
    const json_t *keys = json_object_get(answer, "keys");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        if (strcmp(json_string_value(json_object_get(key, "phase")), "seals") == 0)
            (void)snprintf(name, NAME_LEN + 1, "%s",
                           json_string_value(json_object_get(key, "name")));
    }
    json_decref(answer);
    tool_run_clear(&run);
}

/* Another key than this one seals. */
static bool another_seals(void *context)
{
    char name[NAME_LEN + 1];
    sealing_key(name);
    return name[0] != '\0' && strcmp(name, context) != 0;
}

/* ---- the servers ---- */

__attribute__((format(printf, 2, 3))) static void write_file(const char *path, const char *format,
                                                             ...)
{
    va_list arguments;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    va_start(arguments, format);
    assert_true(vfprintf(file, format, arguments) > 0);
    va_end(arguments);
    assert_int_equal(fclose(file), 0);
}

static void configure_nginx(const struct instance_of *server, int twin)
{
    write_file(
        server->config,
        "daemon off;\nerror_log %s info;\npid %s/nginx-%d.pid;\nevents {}\nhttp {\n"
        "  access_log off;\n  include %s/ticket_keys.conf;\n"
        "  client_body_temp_path %s/t;\n  proxy_temp_path %s/t;\n"
        "  fastcgi_temp_path %s/t;\n  uwsgi_temp_path %s/t;\n  scgi_temp_path %s/t;\n"
        "  ssl_protocols TLSv1.2 TLSv1.3;\n  server {\n"
        "    listen 127.0.0.1:%u ssl;\n    ssl_certificate %s;\n"
        "    ssl_certificate_key %s;\n    location / { return 200 \"served\\n\"; }\n  }\n}\n",
        place.log, folder, twin, server->keys, folder, folder, folder, folder, folder,
        (unsigned)server->port, place.certificate.certificate_path, place.certificate.key_path);
}

static void configure_haproxy(const struct instance_of *server, int twin)
{
    char both[PATH_BYTES];
    (void)snprintf(both, sizeof both, "%s/haproxy-%d.pem", folder, twin);
    write_file(both, "%s%s", place.certificate.certificate_pem, place.certificate.key_pem);
    write_file(server->config,
               "defaults\n  mode http\n  timeout client 10s\n  timeout connect 10s\n"
               "  timeout server 10s\nfrontend f\n"
               "  bind 127.0.0.1:%u ssl crt %s tls-ticket-keys %s ssl-min-ver TLSv1.2\n"
               "  http-request return status 200 content-type text/plain string served\n",
               (unsigned)server->port, both, server->keys);
}

static void export_for(enum kind kind, const struct instance_of *server)
{
    TICKET_KEYS("export", kind_names[kind], server->keys);
}

/* One request. session_in and session_out: files, or NULL. True if it was answered; *resumed says
 * whether by a resumption. */
static bool visit(const struct instance_of *server, const char *version, const char *session_in,
                  const char *session_out, bool *resumed)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char address[32];
    struct tool_run run;
    const char *words[12] = {"s_client", "-connect", address, "-ign_eof", version};
    size_t count = 5;
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)server->port);
    if (session_in != NULL) {
        words[count++] = "-sess_in";
        words[count++] = session_in;
    }
    if (session_out != NULL) {
        words[count++] = "-sess_out";
        words[count++] = session_out;
    }
    run_program(&run, place.openssl, words, request, sizeof request - 1);
    bool served = strstr(run.out, "served") != NULL;
    *resumed = strstr(run.out, "\nReused, TLSv") != NULL;
    assert_true(!served || *resumed || strstr(run.out, "\nNew, TLSv") != NULL);
    tool_run_clear(&run);
    return served;
}

static bool is_up_or_dead(void *context)
{
    struct instance_of *server = context;
    bool resumed;
    return !process_lives(&server->process) || visit(server, "-tls1_3", NULL, NULL, &resumed);
}

static void start_server(enum kind kind, struct instance_of *server)
{
    char path[PATH_BYTES];
    const char *found = program_path(kind_names[kind]);
    if (found == NULL)
        fail_msg("%s is not installed", kind_names[kind]);
    (void)snprintf(path, sizeof path, "%s", found);
    const char *const nginx[] = {path, "-p", folder, "-c", server->config, NULL};
    const char *const haproxy[] = {path, "-db", "-f", server->config, NULL};
    process_start(&server->process, place.log, kind == NGINX ? nginx : haproxy);
    if (!wait_until(is_up_or_dead, server) || !process_lives(&server->process))
        process_fail(kind_names[kind], place.log);
}

static void stop_server(enum kind kind, struct instance_of *server)
{
    (void)process_stop(&server->process, kind == NGINX ? SIGQUIT : SIGTERM);
}

static void set_up_server(enum kind kind, int twin)
{
    struct instance_of *server = &place.servers[kind][twin];
    server->port = free_port();
    (void)snprintf(server->keys, sizeof server->keys, "%s/%s-keys-%d", folder, kind_names[kind],
                   twin);
    (void)snprintf(server->config, sizeof server->config, "%s/%s-%d.conf", folder, kind_names[kind],
                   twin);
    if (kind == NGINX)
        assert_int_equal(mkdir(server->keys, 0700), 0);
    export_for(kind, server);
    (kind == NGINX ? configure_nginx : configure_haproxy)(server, twin);
    start_server(kind, server);
}

/* ---- tickets ---- */

static const char *session_file(const char *name)
{
    static char paths[2][PATH_BYTES];
    static int next;
    next = 1 - next;
    (void)snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

/* The first 16 bytes of the ticket in a session file, as openssl shows them. */
static void key_of_ticket(const char *path, char name[NAME_LEN + 1])
{
    struct tool_run run;
    const char *const words[] = {"sess_id", "-in", path, "-noout", "-text", NULL};
    run_program(&run, place.openssl, words, "", 0);
    const char *at = strstr(run.out, "TLS session ticket:");
    assert_non_null(at);
    at = strstr(at, "0000 - ");
    assert_non_null(at);
    size_t len = 0;
    for (at += 7; len < NAME_LEN && *at != '\0'; at++)
        if (*at != ' ' && *at != '-')
            name[len++] = *at;
    name[len] = '\0';
    tool_run_clear(&run);
}

static void get_session(const struct instance_of *server, const char *version, const char *path)
{
    bool resumed = true;
    assert_true(visit(server, version, NULL, path, &resumed));
    assert_false(resumed);
}

static void assert_resumes(const struct instance_of *server, const char *version, const char *path)
{
    bool resumed = false;
    assert_true(visit(server, version, path, NULL, &resumed));
    assert_true(resumed);
}

static const char *const versions[] = {"-tls1_3", "-tls1_2"};
enum { VERSIONS = sizeof versions / sizeof *versions };

static void a_session_goes_from_one_to_its_twin(void **state)
{
    char sealing[NAME_LEN + 1];
    char of_ticket[NAME_LEN + 1];
    (void)state;
    sealing_key(sealing);
    for (int kind = 0; kind < KINDS; kind++)
        for (int version = 0; version < VERSIONS; version++) {
            const char *path = session_file("session");
            get_session(&place.servers[kind][0], versions[version], path);
            key_of_ticket(path, of_ticket);
            assert_string_equal(of_ticket, sealing);
            assert_resumes(&place.servers[kind][1], versions[version], path);
        }
}

static void load_anew(enum kind kind, struct instance_of *server)
{
    stop_server(kind, server);
    start_server(kind, server);
}

/* The old ticket opens, new ones are sealed under the new key, and both twins know both, also while
 * one of them has the new files and the other one has not yet. */
static void a_session_outlives_a_rotation(void **state)
{
    char before[NAME_LEN + 1];
    char after[NAME_LEN + 1];
    char of_ticket[NAME_LEN + 1];
    char old_session[KINDS][PATH_BYTES];
    (void)state;
    sealing_key(before);
    for (int kind = 0; kind < KINDS; kind++) {
        (void)snprintf(old_session[kind], PATH_BYTES, "%s/old-%d", folder, kind);
        /* They must know the next key before it seals. */
        for (int twin = 0; twin < TWINS; twin++) {
            export_for((enum kind)kind, &place.servers[kind][twin]);
            load_anew((enum kind)kind, &place.servers[kind][twin]);
        }
        get_session(&place.servers[kind][0], versions[0], old_session[kind]);
    }
    TICKET_KEYS("rotate");
    assert_true(wait_until(another_seals, before));
    sealing_key(after);
    for (int kind = 0; kind < KINDS; kind++) {
        const char *path = session_file("session");
        export_for((enum kind)kind, &place.servers[kind][0]);
        load_anew((enum kind)kind, &place.servers[kind][0]);
        get_session(&place.servers[kind][0], versions[0], path);
        key_of_ticket(path, of_ticket);
        assert_string_equal(of_ticket, after);
        assert_resumes(&place.servers[kind][1], versions[0], path); /* it has the older files */
        assert_resumes(&place.servers[kind][0], versions[0], old_session[kind]);
        export_for((enum kind)kind, &place.servers[kind][1]);
        load_anew((enum kind)kind, &place.servers[kind][1]);
        assert_resumes(&place.servers[kind][1], versions[0], path);
    }
}

/* A revocation is there for a server that reads files when it has read them again. */
static void after_a_revocation_no_old_session_is_resumed(void **state)
{
    char before[NAME_LEN + 1];
    (void)state;
    sealing_key(before);
    for (int kind = 0; kind < KINDS; kind++) {
        bool resumed = true;
        const char *path = session_file("session");
        struct instance_of *server = &place.servers[kind][0];
        get_session(server, versions[0], path);
        if (kind == 0) {
            TICKET_KEYS("revoke");
            assert_true(wait_until(another_seals, before));
        }
        export_for((enum kind)kind, server);
        load_anew((enum kind)kind, server);
        assert_true(visit(server, versions[0], path, NULL, &resumed));
        assert_false(resumed);
    }
}

static int set_up(void **state)
{
    char none[] = "";
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(place.log, sizeof place.log, "%s/log", folder);
    (void)snprintf(place.kek, sizeof place.kek, "%s/kek", folder);
    (void)snprintf(place.openssl, sizeof place.openssl, "%s", program_path("openssl"));
    write_file(place.kek, "%s\n",
               "6b0f3d92c1a87e5540d2f9be1774c3086a5ed1f24b9037cce8851f06da2b7943");
    assert_int_equal(chmod(place.kek, 0600), 0);
    redis_server_start(&place.redis, NULL);
    (void)setenv("JTIGUARD_STORE", place.redis.uri, 1);
    tls_certificate_make(&place.certificate, 0);
    TICKET_KEYS("refresh");
    assert_true(wait_until(another_seals, none));
    TICKET_KEYS("refresh"); /* the next one, too */
    for (int kind = 0; kind < KINDS; kind++)
        for (int twin = 0; twin < TWINS; twin++)
            set_up_server((enum kind)kind, twin);
    return 0;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        for (int twin = 0; twin < TWINS; twin++)
            stop_server((enum kind)kind, &place.servers[kind][twin]);
    redis_server_stop(&place.redis);
    tls_certificate_clear(&place.certificate);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c): a folder of our own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_goes_from_one_to_its_twin),
        cmocka_unit_test(a_session_outlives_a_rotation),
        cmocka_unit_test(after_a_revocation_no_old_session_is_resumed),
    };
    return cmocka_run_group_tests_name("exported ticket keys", tests, set_up, tear_down);
}
