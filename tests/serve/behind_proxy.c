/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/behind_proxy.h"

#include "serve/snippet.h"
#include "support/asserts.h"
#include "support/redis_vouch.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void add_word(struct behind_proxy *place,
                                                           const char *format, ...)
{
    va_list arguments;
    size_t count = 0;
    while (place->more[count] != NULL)
        count++;
    assert_in_range(count, 0, INSTANCE_WORDS_MAX - 1);
    va_start(arguments, format);
    /* clang 14 does not see the va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    (void)vsnprintf(place->words[count], sizeof place->words[0], format, arguments);
    va_end(arguments);
    place->more[count] = place->words[count];
}

/* Write the settings of the test's own, and name them. */
static void add_config(struct behind_proxy *place, const char *config)
{
    char *text = snippet_replace(text_of("%s", config), "KEYS", place->keys_path);
    char *path = behind_proxy_file(place, "config.json", text);
    add_word(place, "--config=%s", path);
    free(path);
    free(text);
}

static void add_kind(struct behind_proxy *place, bool dpop)
{
    if (dpop) {
        add_word(place, "--kind=dpop_proof");
        add_word(place, "--dpop-nonce");
        add_word(place, "--dpop-nonce-key=%064d", 7);
        return;
    }
    /* Any token of this kind may come without a subject. */
    add_word(place, "--kind=custom");
    add_word(place, "--custom-kind=demo");
}

static void choose_words(struct behind_proxy *place, const struct place_rules *rules)
{
    add_word(place, "--store=%s", place->redis.uri);
    add_word(place, "--instances=%d", INSTANCES);
    if (rules->owner_header != NULL)
        add_word(place, "--owner-header=%s", rules->owner_header);
    if (rules->dpop_target != NULL)
        add_word(place, "--dpop-target=%s", rules->dpop_target);
    if (rules->claim_header != NULL)
        add_word(place, "--claim-header=%s", rules->claim_header);
    if (rules->config != NULL)
        add_config(place, rules->config);
    else
        add_kind(place, rules->dpop);
}

void behind_proxy_init(struct behind_proxy *place, const struct place_rules *rules)
{
    memset(place, 0, sizeof *place);
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/jtiguard-proxy-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->log_path, sizeof place->log_path, "%s/log", place->folder);
    (void)snprintf(place->keys_path, sizeof place->keys_path, "%s/keys.json", place->folder);
    place->signer = signer_new("ES256");
    char *keys = signer_jwks(place->signer, INSTANCE_KID);
    file_write(place->keys_path, keys);
    free(keys);
    place->issuer_keys = rules->config == NULL ? place->keys_path : NULL;
    redis_server_start(&place->redis, NULL);
    redis_vouch(place->redis.uri);
    choose_words(place, rules);
    for (int i = 0; i < INSTANCES; i++)
        instance_start(&place->instances[i], place->log_path, place->issuer_keys, place->more);
    place->application = application_start();
    place->port = free_port();
}

void behind_proxy_restart(struct behind_proxy *place, int instance)
{
    struct instance *which = &place->instances[instance];
    assert_int_equal(process_stop(&which->process, SIGTERM), 0);
    instance_start_again(which, place->log_path, place->issuer_keys, place->more);
}

void behind_proxy_end(struct behind_proxy *place)
{
    char command[128];
    (void)process_stop(&place->proxy, SIGTERM);
    for (int i = 0; i < INSTANCES; i++)
        instance_stop(&place->instances[i]);
    application_stop(place->application);
    redis_server_stop(&place->redis);
    signer_free(place->signer);
    (void)snprintf(command, sizeof command, "rm -r %s", place->folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
}

static char *replace_port(char *text, const char *named, uint16_t port)
{
    char real[32];
    (void)snprintf(real, sizeof real, "127.0.0.1:%u", (unsigned)port);
    return strstr(text, named) != NULL ? snippet_replace(text, named, real) : text;
}

char *behind_proxy_snippet(const struct behind_proxy *place, const char *name)
{
    static const char *const named[INSTANCES] = {"127.0.0.1:9870", "127.0.0.1:9872",
                                                 "127.0.0.1:9874"};
    char *text = replace_port(snippet_read(name), "127.0.0.1:8080", place->port);
    text = replace_port(text, "127.0.0.1:8000", application_port(place->application));
    for (int i = 0; i < INSTANCES; i++)
        text = replace_port(text, named[i], place->instances[i].port);
    return text;
}

char *behind_proxy_file(const struct behind_proxy *place, const char *name, const char *text)
{
    char *path = text_of("%s/%s", place->folder, name);
    file_write(path, text);
    return path;
}

static bool is_up_or_dead(void *context)
{
    struct behind_proxy *place = context;
    struct http_answer answer;
    if (!process_lives(&place->proxy))
        return true;
    unsigned status = behind_proxy_get(place, "", &answer);
    http_answer_clear(&answer);
    return status != 0;
}

void behind_proxy_run(struct behind_proxy *place, const char *const *words)
{
    process_start(&place->proxy, place->log_path, words);
    if (!wait_until(is_up_or_dead, place) || !process_lives(&place->proxy))
        process_fail(words[0], place->log_path);
}

char *behind_proxy_token_with(const struct behind_proxy *place, const char *jti, const char *more)
{
    long now = (long)time(NULL);
    char *payload = text_of("{\"iss\":\"" INSTANCE_ISSUER "\",\"aud\":\"" INSTANCE_AUDIENCE
                            "\",\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld%s}",
                            jti, now, now + 600, more);
    char *token = signer_token(place->signer, "JWT", INSTANCE_KID, payload);
    free(payload);
    return token;
}

char *behind_proxy_token(const struct behind_proxy *place, const char *jti, const char *subject)
{
    char *more = subject != NULL ? text_of(",\"sub\":\"%s\"", subject) : text_of("%s", "");
    char *token = behind_proxy_token_with(place, jti, more);
    free(more);
    return token;
}

double behind_proxy_decided(const struct behind_proxy *place, const char *result,
                            const char *reason)
{
    char series[160];
    double all = 0;
    (void)snprintf(series, sizeof series,
                   "jtiguard_decisions_total{endpoint=\"check\",result=\"%s\",reason=\"%s\"}",
                   result, reason);
    for (int i = 0; i < INSTANCES; i++)
        if (place->instances[i].process.pid != 0)
            all += instance_metric(&place->instances[i], series);
    return all;
}

unsigned behind_proxy_get(const struct behind_proxy *place, const char *headers,
                          struct http_answer *answer)
{
    return behind_proxy_ask(place, "GET /", headers, "", answer);
}

unsigned behind_proxy_ask(const struct behind_proxy *place, const char *line, const char *headers,
                          const char *body, struct http_answer *answer)
{
    char *length =
        *body != '\0' ? text_of("Content-Length: %zu\r\n", strlen(body)) : text_of("%s", "");
    char *request =
        text_of("%s HTTP/1.1\r\nHost: api.example\r\n%s%s\r\n%s", line, headers, length, body);
    free(length);
    bool came = http_ask(place->port, request, answer);
    free(request);
    return came ? answer->status : 0;
}

unsigned behind_proxy_show(const struct behind_proxy *place, char *token)
{
    struct http_answer answer;
    char *headers = text_of("Authorization: Bearer %s\r\n", token);
    unsigned status = behind_proxy_get(place, headers, &answer);
    http_answer_clear(&answer);
    free(headers);
    free(token);
    return status;
}
