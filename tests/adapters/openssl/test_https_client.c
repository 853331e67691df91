/* SPDX-License-Identifier: Apache-2.0 */
/* The example client against servers that people run: its second process resumes. A server that is
 * not installed is skipped. */
#include "cli/run_tool.h"
#include "serve/processes.h"
#include "support/tls_certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATH_BYTES = 128, PORT_BYTES = 8, TRIES = 4, VISITS = 4 };

static char folder[64];
static struct {
    struct tls_certificate certificate;
    struct process process;
    uint16_t number;
    char port[PORT_BYTES];
    char log[PATH_BYTES];
    char cache[PATH_BYTES];
    char config[PATH_BYTES];
} place;

static void name_file(char path[PATH_BYTES], const char *name)
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", folder, name);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/jtiguard-https-XXXXXX");
    assert_non_null(mkdtemp(folder));
    tls_certificate_make(&place.certificate, 0);
    name_file(place.log, "log");
    name_file(place.cache, "tickets.json");
    name_file(place.config, "config");
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    (void)process_stop(&place.process, SIGTERM);
    tls_certificate_clear(&place.certificate);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- servers ---- */

static bool listens_or_is_dead(void *context)
{
    const union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } at = {.v4 = {.sin_family = AF_INET,
                   .sin_port = htons(place.number),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)context;
    bool connected = fd >= 0 && connect(fd, &at.any, sizeof at.v4) == 0;
    if (fd >= 0)
        (void)close(fd);
    return connected || !process_lives(&place.process);
}

static void start_s_server(const char *program)
{
    process_start(&place.process, place.log,
                  (const char *const[]){program, "s_server", "-accept", place.port, "-key",
                                        place.certificate.key_path, "-cert",
                                        place.certificate.certificate_path, "-www", "-quiet",
                                        NULL});
}

static void start_s_server_of_tls12(const char *program)
{
    process_start(&place.process, place.log,
                  (const char *const[]){program, "s_server", "-accept", place.port, "-key",
                                        place.certificate.key_path, "-cert",
                                        place.certificate.certificate_path, "-www", "-quiet",
                                        "-tls1_2", NULL});
}

static void start_gnutls(const char *program)
{
    process_start(&place.process, place.log,
                  (const char *const[]){program, "--http", "--quiet", "--port", place.port,
                                        "--x509keyfile", place.certificate.key_path,
                                        "--x509certfile", place.certificate.certificate_path,
                                        NULL});
}

static void start_nginx(const char *program)
{
    FILE *config = fopen(place.config, "w");
    assert_non_null(config);
    (void)fprintf(config,
                  "daemon off;\n%spid %s/pid;\nevents { }\nhttp {\naccess_log off;\n"
                  "client_body_temp_path %s/t1;\nproxy_temp_path %s/t2;\n"
                  "fastcgi_temp_path %s/t3;\nuwsgi_temp_path %s/t4;\nscgi_temp_path %s/t5;\n"
                  "ssl_protocols TLSv1.2 TLSv1.3;\n"
                  "server {\nlisten 127.0.0.1:%s ssl;\nssl_certificate %s;\n"
                  "ssl_certificate_key %s;\nreturn 200 hello;\n}\n}\n",
                  geteuid() == 0 ? "user root;\n" : "", folder, folder, folder, folder, folder,
                  folder, place.port, place.certificate.certificate_path,
                  place.certificate.key_path);
    assert_int_equal(fclose(config), 0);
    process_start(
        &place.process, place.log,
        (const char *const[]){program, "-e", place.log, "-p", folder, "-c", place.config, NULL});
}

/* Another program may take the port between the look and the use. */
static void start(const char *name, void (*start_one)(const char *program))
{
    const char *program = program_path(name);
    if (program == NULL) {
        print_message("%s is not installed\n", name);
        skip();
    }
    for (int i = 0; i < TRIES; i++) {
        place.number = free_port();
        (void)snprintf(place.port, sizeof place.port, "%u", (unsigned)place.number);
        start_one(program);
        if (wait_until(listens_or_is_dead, NULL) && process_lives(&place.process))
            return;
        (void)process_stop(&place.process, SIGKILL);
    }
    process_fail(name, place.log);
}

/* ---- the client ---- */

static void visit(const char *begins)
{
    struct tool_run run;
    const char *const words[] = {"localhost", place.port, place.certificate.certificate_path,
                                 place.cache, NULL};
    run_program(&run, EXAMPLE_HTTPS_CLIENT, words, "", 0);
    if (strncmp(run.out, begins, strlen(begins)) != 0 || run.err_len != 0)
        fail_msg("not %s, but: %s%s", begins, run.out, run.err);
    assert_non_null(strstr(run.out, "\nHTTP/1."));
    assert_non_null(strstr(run.out, " 200 "));
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void the_second_process_resumes(const char *name, void (*start_one)(const char *program))
{
    start(name, start_one);
    visit("new\n");
    for (int i = 1; i < VISITS; i++)
        visit("reused\n");
}

static void openssl(void **state)
{
    (void)state;
    the_second_process_resumes("openssl", start_s_server);
}

/* One ticket a full handshake. */
static void openssl_of_tls12(void **state)
{
    (void)state;
    start("openssl", start_s_server_of_tls12);
    visit("new\n");
    visit("reused\n");
    visit("new\n");
}

static void gnutls(void **state)
{
    (void)state;
    the_second_process_resumes("gnutls-serv", start_gnutls);
}

static void nginx(void **state)
{
    (void)state;
    the_second_process_resumes("nginx", start_nginx);
}

/* The file outlives the server's keys, which nginx draws anew; its tickets do not. */
static void a_server_that_starts_anew(void **state)
{
    (void)state;
    start("nginx", start_nginx);
    visit("new\n");
    (void)process_stop(&place.process, SIGTERM);
    start_nginx(program_path("nginx"));
    if (!wait_until(listens_or_is_dead, NULL) || !process_lives(&place.process))
        process_fail("nginx", place.log);
    visit("new\n");
    visit("reused\n");
}

static void strangers_are_not_trusted(void **state)
{
    struct tls_certificate other;
    struct tool_run run;
    (void)state;
    start("openssl", start_s_server);
    visit("new\n");
    tls_certificate_make(&other, 0);
    const char *const words[] = {"localhost", place.port, other.certificate_path, place.cache,
                                 NULL};
    run_program(&run, EXAMPLE_HTTPS_CLIENT, words, "", 0);
    assert_int_equal(run.exit_code, 1);
    assert_int_equal(run.out_len, 0);
    assert_holds(run.err, "certificate verify failed");
    tool_run_clear(&run);
    tls_certificate_clear(&other);
}

static void usage(void **state)
{
    static const char *const none[] = {NULL};
    struct tool_run run;
    (void)state;
    run_program(&run, EXAMPLE_HTTPS_CLIENT, none, "", 0);
    assert_int_equal(run.exit_code, 2);
    tool_run_clear(&run);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(openssl), CASE(openssl_of_tls12),          CASE(gnutls),
        CASE(nginx),   CASE(a_server_that_starts_anew), CASE(strangers_are_not_trusted),
        CASE(usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
