/* SPDX-License-Identifier: Apache-2.0 */
/* The process: its start, its signals, its end. */
#include "serve/http_client.h"
#include "serve/served_process.h"
#include "serve/signer.h"
#include "support/asserts.h"
#include "support/text_file.h"

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ISSUER "https://issuer.example"

static struct served_process process;
static struct signer *signer;
static char folder[64];
static char sock[96];
static char admin[96];
static char listen_option[128];
static char admin_option[128];
static char config_option[128];

static void write_file(const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_config(const char *more)
{
    char *text = text_of("{\"issuer\":\"" ISSUER "\",\"audience\":\"api\","
                         "\"jwks_file\":\"%s/keys.json\"%s}",
                         folder, more);
    write_file("config.json", text);
    free(text);
}

static void write_keys(const struct signer *of)
{
    char *jwks = signer_jwks(of, "key-1");
    write_file("keys.json", jwks);
    free(jwks);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/jtiguard-serve-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(sock, sizeof sock, "%s/main.sock", folder);
    (void)snprintf(admin, sizeof admin, "%s/admin.sock", folder);
    (void)snprintf(listen_option, sizeof listen_option, "--listen=unix:%s", sock);
    (void)snprintf(admin_option, sizeof admin_option, "--admin-listen=unix:%s", admin);
    (void)snprintf(config_option, sizeof config_option, "--config=%s/config.json", folder);
    signer = signer_new("ES256");
    write_keys(signer);
    write_config("");
    process.pid = 0;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    if (process.pid != 0) {
        process_signal(&process, SIGKILL);
        (void)process_wait(&process, 10000);
    }
    signer_free(signer);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c): a folder of our own */
}

static void start_with(const char *option)
{
    const char *const arguments[] = {listen_option, admin_option, config_option, option, NULL};
    process_start(&process, folder, arguments, NULL);
    char *said = process_await(&process, " started store=");
    assert_non_null(said);
    free(said);
}

static char *token_of(const struct signer *by, const char *jti)
{
    long now = (long)time(NULL);
    char *payload = text_of("{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"u\",\"jti\":\"%s\","
                            "\"iat\":%ld,\"exp\":%ld}",
                            jti, now, now + 300);
    char *token = signer_token(by, "JWT", "key-1", payload);
    free(payload);
    return token;
}

/* token is freed. */
static unsigned check(char *token)
{
    struct http_answer answer;
    char *request =
        text_of("GET /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
    unsigned status = http_ask_unix(sock, request, &answer) ? answer.status : 0;
    http_answer_clear(&answer);
    free(request);
    free(token);
    return status;
}

static unsigned admin_status(const char *path, char *body, size_t body_len)
{
    struct http_answer answer;
    char *request = text_of("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    unsigned status = http_ask_unix(admin, request, &answer) ? answer.status : 0;
    (void)snprintf(body, body_len, "%s", answer.body != NULL ? answer.body : "");
    http_answer_clear(&answer);
    free(request);
    return status;
}

static void it_serves_until_told_to_end(void **state)
{
    (void)state;
    char body[64];
    start_with(NULL);
    assert_int_equal(check(token_of(signer, "1")), 200);
    assert_int_equal(check(token_of(signer, "1")), 403);
    assert_int_equal(admin_status("/readyz", body, sizeof body), 200);
    assert_string_equal(body, "ready\n");
    assert_int_equal(admin_status("/livez", body, sizeof body), 200);
    process_signal(&process, SIGTERM);
    assert_int_equal(process_wait(&process, 10000), 0);
    assert_int_not_equal(access(sock, F_OK), 0);
    char *said = process_await(&process, " stopped ");
    assert_non_null(strstr(said, "warning memory_store"));
    free(said);
}

static void a_former_name_is_warned_of(void **state)
{
    (void)state;
    start_with("--replicas=1");
    process_signal(&process, SIGTERM);
    assert_int_equal(process_wait(&process, 10000), 0);
    char *said = process_await(&process, " stopped ");
    assert_non_null(strstr(said, "warning former_name"));
    assert_non_null(strstr(said, "replicas is called instances now"));
    free(said);
}

/* What it remembers, it remembers on. */
static void a_reload_takes_new_keys_and_forgets_nothing(void **state)
{
    (void)state;
    struct signer *next = signer_new("ES256");
    start_with(NULL);
    assert_int_equal(check(token_of(signer, "1")), 200);
    write_keys(next);
    process_signal(&process, SIGHUP);
    free(process_await(&process, " reloaded "));
    assert_int_equal(check(token_of(signer, "2")), 401);
    assert_int_equal(check(token_of(next, "2")), 200);
    assert_int_equal(check(token_of(next, "1")), 403);
    signer_free(next);
}

/* What the settings before have admitted stays a replay. */
static void a_reload_makes_no_used_token_new(void **state)
{
    (void)state;
    static const char *const moves[][2] = {
        {",\"kind\":\"custom\",\"custom_kind\":\"x\"",
         "a new kind would make its used tokens good"},
        {",\"jti_claim\":\"sub\"", "a new jti_claim would make its used tokens good"},
    };
    start_with(NULL);
    assert_int_equal(check(token_of(signer, "1")), 200);
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        write_config(moves[i][0]);
        process_signal(&process, SIGHUP);
        char *said = process_await(&process, moves[i][1]);
        assert_non_null(said);
        assert_non_null(strstr(said, "error reload_refused"));
        free(said);
        assert_int_equal(check(token_of(signer, "1")), 403);
    }
}

static void a_bad_reload_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {",\"treads\":5", "no such setting: treads"},
        {",\"leeway\":\"1s\"", "leeway cannot change without a restart"},
        {",\"max_batch\":0", "out of its range"},
    };
    start_with(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char jti[8];
        (void)snprintf(jti, sizeof jti, "%zu", i);
        write_config(bad[i][0]);
        process_signal(&process, SIGHUP);
        char *said = process_await(&process, bad[i][1]);
        assert_non_null(said);
        assert_non_null(strstr(said, "error reload_refused"));
        free(said);
        assert_int_equal(check(token_of(signer, jti)), 200);
    }
    /* A file of keys that is none. */
    write_config("");
    write_file("keys.json", "{}");
    process_signal(&process, SIGHUP);
    char *said = process_await(&process, "reload_refused text=\"issuers: ");
    assert_non_null(said);
    free(said);
    assert_int_equal(check(token_of(signer, "last")), 200);
    static char page[1 << 17];
    assert_int_equal(admin_status("/metrics", page, sizeof page), 200);
    assert_non_null(strstr(page, "\njtiguard_reload_failures_total 4\n"));
    assert_non_null(strstr(page, "\njtiguard_reloads_total 0\n"));
}

/* Not ready, and still serving, until the delay has passed; a second signal cuts it short. */
static void it_drains(void **state)
{
    (void)state;
    char body[64];
    start_with("--drain-delay=300s");
    process_signal(&process, SIGTERM);
    free(process_await(&process, " draining "));
    assert_int_equal(admin_status("/readyz", body, sizeof body), 503);
    assert_string_equal(body, "not ready: draining\nit is about to end\n");
    assert_int_equal(admin_status("/livez", body, sizeof body), 200);
    assert_int_equal(check(token_of(signer, "1")), 200);
    process_signal(&process, SIGTERM);
    assert_int_equal(process_wait(&process, 10000), 0);
}

/* Half of a request, which the server is known to have begun with: it has asked for the body. */
static int begin_request(void)
{
    static const char head[] = "POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                               "Expect: 100-continue\r\n\r\n";
    struct http_answer go_on;
    int fd = http_connect_unix(sock);
    assert_true(http_send(fd, head, strlen(head)));
    assert_true(http_read(fd, &go_on, true));
    assert_int_equal(go_on.status, 100);
    http_answer_clear(&go_on);
    assert_true(http_send(fd, "ab", 2));
    return fd;
}

/* A request under way is finished; who never finishes one does not hold up the end. */
static void it_ends_in_bounded_time(void **state)
{
    (void)state;
    struct http_answer answer;
    start_with("--drain-timeout=5s");
    int fd = begin_request();
    int idle = http_connect_unix(sock);
    process_signal(&process, SIGTERM);
    free(process_await(&process, " draining "));
    assert_true(http_send(fd, "cd", 2));
    assert_true(http_read(fd, &answer, false));
    assert_int_equal(answer.status, 401);
    assert_string_equal(http_header(&answer, "Connection"), "close");
    http_answer_clear(&answer);
    assert_int_equal(process_wait(&process, 10000), 0);
    (void)close(fd);
    (void)close(idle);

    start_with("--drain-timeout=1s");
    fd = begin_request();
    process_signal(&process, SIGTERM);
    assert_int_equal(process_wait(&process, 10000), 0);
    char *said = process_await(&process, " drain_timeout ");
    assert_non_null(said);
    free(said);
    (void)close(fd);
}

/* As many descriptors as the hard limit allows, and no more, are taken. */
static void lower_limit(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void bad_settings_end_at_once(void **state)
{
    (void)state;
    const struct {
        const char *option;
        int code;
        const char *text;
    } cases[] = {
        {"--treads=5", 2, "--treads is no option"},
        {"--instances=3", 2, "needs a shared store"},
        {"--listen=unix:/nonexistent/socket", 3, "cannot be listened on: No such file"},
        {"--jwks-file=/nonexistent", 3, "issuers: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const arguments[] = {admin_option, config_option, cases[i].option, NULL};
        process_start(&process, folder, arguments, NULL);
        assert_int_equal(process_wait(&process, 10000), cases[i].code);
        char *said = process_await(&process, cases[i].text);
        assert_non_null(said);
        free(said);
    }
}

/* It raises its own limit, so that the connections that it promises can be had. */
static void a_low_limit_of_descriptors_is_raised(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    lower_limit(256);
    start_with("--max-connections=1000");
    lower_limit(limit.rlim_cur);
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/limits", (int)process.pid);
    char *text = text_file_read(path);
    const char *line = strstr(text, "Max open files");
    assert_non_null(line);
    assert_true(strtoul(line + strlen("Max open files"), NULL, 10) > 1000);
    free(text);
}

static void an_address_that_is_taken_ends_with_3(void **state)
{
    (void)state;
    start_with(NULL);
    struct served_process second;
    char other[80];
    (void)snprintf(other, sizeof other, "%s/second", folder);
    char command[128];
    (void)snprintf(command, sizeof command, "mkdir %s", other);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
    const char *const arguments[] = {listen_option, "--admin-listen=127.0.0.1:0", config_option,
                                     NULL};
    process_start(&second, other, arguments, NULL);
    assert_int_equal(process_wait(&second, 10000), 3);
    char *said = process_await(&second, "in use");
    assert_non_null(said);
    free(said);
    /* It took nothing away from the first. */
    assert_int_equal(check(token_of(signer, "1")), 200);
    /* What a process that was killed left behind is no obstacle. */
    process_signal(&process, SIGKILL);
    assert_int_equal(process_wait(&process, 10000), -1);
    start_with(NULL);
    assert_int_equal(check(token_of(signer, "1")), 200);
}

static int notify_socket(const char *path)
{
    union {
        struct sockaddr_un local;
        struct sockaddr any;
    } at = {.local = {.sun_family = AF_UNIX}};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {10, 0};
    assert_true(fd >= 0);
    (void)snprintf(at.local.sun_path, sizeof at.local.sun_path, "%s", path);
    assert_int_equal(bind(fd, &at.any, sizeof at.local), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void assert_told(int fd, const char *text)
{
    char got[256] = "";
    assert_true(recv(fd, got, sizeof got - 1, 0) > 0);
    assert_non_null(strstr(got, text));
}

static void systemd_is_told(void **state)
{
    (void)state;
    char path[96];
    char variable[128];
    (void)snprintf(path, sizeof path, "%s/notify", folder);
    (void)snprintf(variable, sizeof variable, "NOTIFY_SOCKET=%s", path);
    int fd = notify_socket(path);
    const char *const arguments[] = {listen_option, admin_option, config_option, NULL};
    const char *const environment[] = {variable, NULL};
    process_start(&process, folder, arguments, environment);
    assert_told(fd, "READY=1");
    process_signal(&process, SIGHUP);
    assert_told(fd, "RELOADING=1\nMONOTONIC_USEC=");
    assert_told(fd, "READY=1");
    process_signal(&process, SIGTERM);
    assert_told(fd, "STOPPING=1");
    assert_int_equal(process_wait(&process, 10000), 0);
    (void)close(fd);
}

/* Settings from the environment alone, and a log of JSON. */
static void all_from_the_environment(void **state)
{
    (void)state;
    char variables[6][160];
    (void)snprintf(variables[0], sizeof variables[0], "JTIGUARD_LISTEN=unix:%s", sock);
    (void)snprintf(variables[1], sizeof variables[1], "JTIGUARD_ADMIN_LISTEN=unix:%s", admin);
    (void)snprintf(variables[2], sizeof variables[2], "JTIGUARD_JWKS_FILE=%s/keys.json", folder);
    (void)snprintf(variables[3], sizeof variables[3], "JTIGUARD_ISSUER=" ISSUER);
    (void)snprintf(variables[4], sizeof variables[4], "JTIGUARD_AUDIENCE=api,other");
    (void)snprintf(variables[5], sizeof variables[5], "JTIGUARD_LOG_FORMAT=json");
    const char *const environment[] = {variables[0], variables[1], variables[2], variables[3],
                                       variables[4], variables[5], NULL};
    const char *const none[] = {NULL};
    process_start(&process, folder, none, environment);
    char *said = process_await(&process, "\"event\":\"started\",\"store\":\"memory\"");
    assert_non_null(said);
    const char *started = strstr(said, "\"event\":\"started\"");
    assert_non_null(strstr(started, "\"version\":\"0."));
    assert_non_null(strstr(started, "\"issuers\":\"" ISSUER "\""));
    assert_non_null(strstr(started, "\"listen\":\"unix:"));
    assert_non_null(strstr(started, "\"admin_listen\":\"unix:"));
    json_t *line = json_loadb(said, strcspn(said, "\n"), 0, NULL);
    assert_non_null(json_string_value(json_object_get(line, "time")));
    json_decref(line);
    free(said);
    assert_int_equal(check(token_of(signer, "1")), 200);
}

/* Opening a pipe waits for its writer, and signals are not heard meanwhile. */
static void a_pipe_in_place_of_the_keys_holds_up_nobody(void **state)
{
    char path[128];
    (void)state;
    start_with("--store=memory");
    (void)snprintf(path, sizeof path, "%s/keys.json", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    process_signal(&process, SIGHUP);
    char *said = process_await(&process, "no plain file");
    assert_non_null(said);
    free(said);
    process_signal(&process, SIGTERM);
    assert_int_equal(process_wait(&process, 10000), 0);
    process.pid = 0;
}

/* Who sends it cannot know how far the process is; it has begun to read its settings here. */
static void a_signal_before_it_serves(void **state)
{
    (void)state;
    char path[128];
    int watch = inotify_init1(IN_CLOEXEC);
    struct pollfd opened = {.fd = watch, .events = POLLIN};
    const char *const arguments[] = {listen_option, admin_option, config_option, NULL};
    (void)snprintf(path, sizeof path, "%s/config.json", folder);
    assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
    process_start(&process, folder, arguments, NULL);
    assert_int_equal(poll(&opened, 1, 10000), 1);
    process_signal(&process, SIGHUP);
    char *said = process_await(&process, " reloaded ");
    assert_non_null(said);
    assert_non_null(strstr(said, " started store="));
    free(said);
    assert_int_equal(check(token_of(signer, "1")), 200);
    process_signal(&process, SIGTERM);
    assert_int_equal(process_wait(&process, 10000), 0);
    (void)close(watch);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(a_pipe_in_place_of_the_keys_holds_up_nobody),
        TEST_OF(it_serves_until_told_to_end),
        TEST_OF(a_signal_before_it_serves),
        TEST_OF(a_former_name_is_warned_of),
        TEST_OF(a_reload_takes_new_keys_and_forgets_nothing),
        TEST_OF(a_reload_makes_no_used_token_new),
        TEST_OF(a_bad_reload_changes_nothing),
        TEST_OF(it_drains),
        TEST_OF(it_ends_in_bounded_time),
        TEST_OF(bad_settings_end_at_once),
        TEST_OF(a_low_limit_of_descriptors_is_raised),
        TEST_OF(an_address_that_is_taken_ends_with_3),
        TEST_OF(systemd_is_told),
        TEST_OF(all_from_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
