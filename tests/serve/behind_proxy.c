/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/behind_proxy.h"

#include "serve/snippet.h"
#include "support/asserts.h"
#include "support/redis_vouch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void start_instances(struct behind_proxy *place, const char *owner_header,
                            const char *config)
{
    char store[96];
    char owner[64];
    (void)snprintf(store, sizeof store, "--store=%s", place->redis.uri);
    (void)snprintf(owner, sizeof owner, "--owner-header=%s",
                   owner_header != NULL ? owner_header : "");
    /* Any token may come without a subject. */
    const char *more[8] = {"--replicas=3", "--dpop-target=original", store};
    size_t count = 3;
    if (owner_header != NULL)
        more[count++] = owner;
    more[count++] = config != NULL ? config : "--kind=custom";
    if (config == NULL)
        more[count++] = "--custom-kind=demo";
    for (int i = 0; i < INSTANCES; i++)
        instance_start(&place->instances[i], place->log_path,
                       config == NULL ? place->keys_path : NULL, more);
}

void behind_proxy_init(struct behind_proxy *place, const char *owner_header)
{
    behind_proxy_init_with(place, owner_header, NULL);
}

/* Write the settings, and name them. The caller frees it. */
static char *config_option(const struct behind_proxy *place, const char *config)
{
    char *text = snippet_replace(text_of("%s", config), "KEYS", place->keys_path);
    char *path = behind_proxy_file(place, "config.json", text);
    char *option = text_of("--config=%s", path);
    free(path);
    free(text);
    return option;
}

void behind_proxy_init_with(struct behind_proxy *place, const char *owner_header,
                            const char *config)
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
    redis_server_start(&place->redis, NULL);
    redis_vouch(place->redis.uri);
    char *option = config != NULL ? config_option(place, config) : NULL;
    start_instances(place, owner_header, option);
    free(option);
    place->application = application_start();
    place->port = free_port();
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

char *behind_proxy_token(const struct behind_proxy *place, const char *jti, const char *subject)
{
    long now = (long)time(NULL);
    char *sub = subject != NULL ? text_of(",\"sub\":\"%s\"", subject) : text_of("%s", "");
    char *payload = text_of("{\"iss\":\"" INSTANCE_ISSUER "\",\"aud\":\"" INSTANCE_AUDIENCE
                            "\",\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld%s}",
                            jti, now, now + 600, sub);
    char *token = signer_token(place->signer, "JWT", INSTANCE_KID, payload);
    free(payload);
    free(sub);
    return token;
}

unsigned behind_proxy_get(const struct behind_proxy *place, const char *headers,
                          struct http_answer *answer)
{
    char *request = text_of("GET / HTTP/1.1\r\nHost: api.example\r\n%s\r\n", headers);
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
