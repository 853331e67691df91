/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/service_fixture.h"
#include "serve/settings/settings_reader.h"
#include "support/text_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_STEPS = 1000, STEP_NS = 10000000 };

void served_argument(struct served *served, const char *format, ...)
{
    va_list arguments;
    assert_in_range(served->argument_count, 0, SERVED_ARGUMENTS_MAX - 2);
    char *text = served->texts[served->argument_count];
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof served->texts[0], format, arguments);
    va_end(arguments);
    served->arguments[served->argument_count++] = text;
}

void served_write(const struct served *served, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", served->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void served_init(struct served *served)
{
    memset(served, 0, sizeof *served);
    assert_true(sodium_init() >= 0);
    test_clock_init(&served->clock);
    served->as_jtg = test_clock_as_jtg(&served->clock);
    served->signer = signer_new("ES256");
    (void)snprintf(served->folder, sizeof served->folder, "/tmp/jtiguard-served-XXXXXX");
    assert_non_null(mkdtemp(served->folder));
    (void)snprintf(served->log_path, sizeof served->log_path, "%s/log", served->folder);
    served->log_fd = open(served->log_path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    assert_true(served->log_fd >= 0);
    char *jwks = signer_jwks(served->signer, SERVED_KID);
    served_write(served, "keys.json", jwks);
    free(jwks);
    served_argument(served, "serve");
    served_argument(served, "--listen=127.0.0.1:0");
    served_argument(served, "--admin-listen=127.0.0.1:0");
    served_argument(served, "--api-listen=unix:%s/api.sock", served->folder);
    served_argument(served, "--log-level=debug");
}

/* getopt reorders what it is given. */
struct service_settings *served_settings(struct served *served, struct settings_problem *problem)
{
    static char store[] = "JTIGUARD_STORE=memory"; /* not that of this machine */
    static char *environment[] = {store, NULL};
    char *list[SERVED_ARGUMENTS_MAX + 1] = {NULL};
    struct service_settings *settings = NULL;
    for (int i = 0; i < served->argument_count; i++)
        list[i] = served->texts[i];
    const struct program program = {served->argument_count, list, environment};
    return service_settings_read(&settings, &program, problem) == SETTINGS_READ ? settings : NULL;
}

static void start(struct served *served, jtg_cache *cache)
{
    struct settings_problem problem = {{0}};
    struct service_settings *settings = served_settings(served, &problem);
    if (settings == NULL)
        fail_msg("%s", problem.text);
    const struct service_parts parts = {&served->as_jtg, cache, served->log_fd};
    jtg_status status = service_start(&served->service, settings, &parts, &problem);
    if (status != JTG_OK)
        fail_msg("%s", problem.text);
}

static void add_usual_issuer(struct served *served)
{
    for (int i = 0; i < served->argument_count; i++)
        if (strncmp(served->texts[i], "--issuer", 8) == 0 ||
            strncmp(served->texts[i], "--config", 8) == 0)
            return;
    served_argument(served, "--issuer=" SERVED_ISSUER);
    served_argument(served, "--audience=" SERVED_AUDIENCE);
    served_argument(served, "--jwks-file=%s/keys.json", served->folder);
}

void served_start(struct served *served)
{
    add_usual_issuer(served);
    served->store = recording_cache_new(&served->clock);
    start(served, &served->store->base);
}

void served_start_on_its_store(struct served *served)
{
    add_usual_issuer(served);
    start(served, NULL);
}

void served_end(struct served *served)
{
    char command[128];
    service_stop(served->service);
    signer_free(served->signer);
    (void)close(served->log_fd);
    (void)snprintf(command, sizeof command, "rm -r %s", served->folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
}

char *served_log(struct served *served, const char *text)
{
    const struct timespec step = {0, STEP_NS};
    for (int i = 0; i < PATIENCE_STEPS; i++) {
        char *log = text_file_read(served->log_path);
        if (strstr(log, text) != NULL)
            return log;
        free(log);
        (void)nanosleep(&step, NULL);
    }
    fail_msg("not logged: %s", text);
    return NULL;
}

char *served_token(const struct served *served, const char *jti, const char *more)
{
    char *payload = text_of("{\"iss\":\"" SERVED_ISSUER "\",\"aud\":\"" SERVED_AUDIENCE
                            "\",\"sub\":\"user-1\",\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld%s}",
                            jti, SERVED_NOW_S - 10, SERVED_NOW_S + 300, more);
    char *token = signer_token(served->signer, "JWT", SERVED_KID, payload);
    free(payload);
    return token;
}

unsigned served_check(const struct served *served, const char *headers, struct http_answer *answer)
{
    char *request = text_of("GET /check HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
    bool came = http_ask(service_port(served->service, HTTP_MAIN), request, answer);
    free(request);
    assert_true(came);
    return answer->status;
}

struct check_result served_bearer(const struct served *served, char *token)
{
    struct check_result result = {0, "", ""};
    struct http_answer answer;
    char *headers = text_of("Authorization: Bearer %s\r\n", token);
    result.status = served_check(served, headers, &answer);
    (void)snprintf(result.result, sizeof result.result, "%s", http_header(&answer, "X-JTI-Result"));
    (void)snprintf(result.reason, sizeof result.reason, "%s", http_header(&answer, "X-JTI-Reason"));
    http_answer_clear(&answer);
    free(headers);
    free(token);
    return result;
}

unsigned served_post(const struct served *served, const char *path, const char *body,
                     struct http_answer *answer)
{
    char socket_path[96];
    (void)snprintf(socket_path, sizeof socket_path, "%s/api.sock", served->folder);
    char *request = text_of("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            path, strlen(body), body);
    bool came = http_ask_unix(socket_path, request, answer);
    free(request);
    assert_true(came);
    return answer->status;
}

double served_metric(const struct served *served, const char *series)
{
    struct http_answer answer;
    double value = -1;
    size_t len = strlen(series);
    assert_true(http_ask(service_port(served->service, HTTP_ADMIN),
                         "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", &answer));
    assert_int_equal(answer.status, 200);
    for (const char *line = answer.body; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, series, len) == 0 && line[len] == ' ')
            value = strtod(line + len, NULL);
    }
    http_answer_clear(&answer);
    return value;
}

double served_decisions(const struct served *served, const char *endpoint, const char *result,
                        const char *reason)
{
    char series[256];
    (void)snprintf(series, sizeof series,
                   "jtiguard_decisions_total{endpoint=\"%s\",result=\"%s\",reason=\"%s\"}",
                   endpoint, result, reason);
    double value = served_metric(served, series);
    return value > 0 ? value : 0;
}

bool served_await_metric(const struct served *served, const char *series, double value)
{
    const struct timespec step = {0, STEP_NS};
    for (int i = 0; i < PATIENCE_STEPS; i++) {
        if (served_metric(served, series) >= value)
            return true;
        (void)nanosleep(&step, NULL);
    }
    return false;
}
