/* SPDX-License-Identifier: Apache-2.0 */
/* nginx with four workers in front of three `jtiguard serve`, each on a unix socket, all on the
 * host's store: the configuration of docs/proxies.md. */
#include "cli/run_tool.h"
#include "recipes/web.h"
#include "serve/application.h"
#include "serve/http_client.h"
#include "serve/signer.h"
#include "serve/snippet.h"
#include "support/asserts.h"
#include "support/ports.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSTANCES = 3, TOKENS = 60, KILL_EVERY = 10 };

static struct signer *signer;
static struct process instances[INSTANCES];
static struct application *application;

static char *bearer(const struct crowd_token *token)
{
    char *payload = text_of("{\"iss\":\"" INSTANCE_ISSUER "\",\"aud\":\"" INSTANCE_AUDIENCE
                            "\",\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld}",
                            token->jti, token->iat, token->exp);
    char *signed_token = signer_token(signer, "JWT", INSTANCE_KID, payload);
    char *line = text_of("Authorization: Bearer %s\r\n", signed_token);
    free(signed_token);
    free(payload);
    return line;
}

/* ---- the instances ---- */

struct asked {
    struct process *process;
    char admin[128];
};

static bool is_ready_or_dead(void *context)
{
    struct asked *asked = context;
    struct http_answer answer;
    bool ready = http_ask_unix(asked->admin, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", &answer) &&
                 answer.status == 200;
    http_answer_clear(&answer);
    return ready || !process_lives(asked->process);
}

static void start_instance(const struct web *web, unsigned which)
{
    static const char issuer[] = "--issuer=" INSTANCE_ISSUER;
    static const char audience[] = "--audience=" INSTANCE_AUDIENCE;
    struct asked asked = {.process = &instances[which]};
    const char *folder = web->place.folder;
    (void)snprintf(asked.admin, sizeof asked.admin, "%s/admin%u", folder, which);
    char *listen = text_of("--listen=unix:%s/check%u", folder, which);
    char *admin = text_of("--admin-listen=unix:%s", asked.admin);
    char *keys = text_of("--jwks-file=%s/keys.json", folder);
    char *store = text_of("--store=%s", web->place.store);
    const char *const words[] = {tool_path(),
                                 "serve",
                                 listen,
                                 admin,
                                 keys,
                                 store,
                                 "--instances=3",
                                 issuer,
                                 audience,
                                 "--kind=custom",
                                 "--custom-kind=login",
                                 "--owner-header=X-Request-ID",
                                 "--socket-mode=0666",
                                 "--log-level=warning",
                                 NULL};
    process_start(&instances[which], web->place.log_path, words);
    if (!wait_until(is_ready_or_dead, &asked) || !process_lives(&instances[which]))
        place_fail(&web->place, "jtiguard serve does not start");
    free(store);
    free(keys);
    free(admin);
    free(listen);
}

/* ---- nginx ---- */

static char *replace(char *text, const char *from, char *to)
{
    char *result = snippet_replace(text, from, to);
    free(to);
    return result;
}

static void write_configuration(const struct web *web)
{
    static const char *const named[INSTANCES] = {"127.0.0.1:9870", "127.0.0.1:9872",
                                                 "127.0.0.1:9874"};
    const char *folder = web->place.folder;
    char *text = snippet_read("nginx");
    for (unsigned i = 0; i < INSTANCES; i++)
        text = replace(text, named[i], text_of("unix:%s/check%u", folder, i));
    text = replace(text, "127.0.0.1:8080", text_of("127.0.0.1:%u", (unsigned)web->port));
    text = replace(text, "127.0.0.1:8000",
                   text_of("127.0.0.1:%u", (unsigned)application_port(application)));
    char *whole = text_of("daemon off;\nuser root;\npid %s/nginx.pid;\nworker_processes 4;\n"
                          "events { worker_connections 256; }\nhttp {\naccess_log off;\n"
                          "client_body_temp_path %s/t1;\nproxy_temp_path %s/t2;\n"
                          "fastcgi_temp_path %s/t3;\nuwsgi_temp_path %s/t4;\n"
                          "scgi_temp_path %s/t5;\n%s}\n",
                          folder, folder, folder, folder, folder, folder, text);
    file_write(place_path(&web->place, "nginx.conf"), whole);
    free(whole);
    free(text);
}

static void start_nginx(struct web *web)
{
    static const char *const none[] = {NULL};
    const char *const words[] = {program_path("nginx"),
                                 "-e",
                                 web->place.log_path,
                                 "-p",
                                 web->place.folder,
                                 "-c",
                                 place_path(&web->place, "nginx.conf"),
                                 NULL};
    web_start(web, none, words);
}

/* One instance after the other as an update does it, then all of them killed, then all of nginx. */
static pid_t restart(struct web *web, unsigned time)
{
    for (unsigned i = 0; i < INSTANCES && time < 2; i++) {
        (void)process_stop(&instances[i], time == 0 ? SIGTERM : SIGKILL);
        start_instance(web, i);
    }
    if (time == 2) {
        web_stop(web, SIGKILL);
        start_nginx(web);
    }
    return web->process.pid;
}

static void set_up(struct web *web)
{
    place_init(&web->place);
    signer = signer_new("ES256");
    char *keys = signer_jwks(signer, INSTANCE_KID);
    file_write(place_path(&web->place, "keys.json"), keys);
    free(keys);
    application = application_start();
    web->port = port_take();
    for (unsigned i = 0; i < INSTANCES; i++)
        start_instance(web, i);
    write_configuration(web);
    start_nginx(web);
}

static void three_instances_are_one_guard(void **state)
{
    static struct web web = {.headers = bearer};
    (void)state;
    if (program_path("nginx") == NULL) {
        print_message("nginx is not there\n");
        skip();
    }
    set_up(&web);
    web_try(&web, "nginx, 4 workers, 3 instances", TOKENS, KILL_EVERY, restart);
    web_stop(&web, SIGTERM);
    for (unsigned i = 0; i < INSTANCES; i++)
        assert_int_equal(process_stop(&instances[i], SIGTERM), 0);
    application_stop(application);
    signer_free(signer);
    port_give_back(web.port);
    place_end(&web.place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(three_instances_are_one_guard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
