/* SPDX-License-Identifier: Apache-2.0 */
/* examples/apache: httpd with eight prefork processes, tokens verified by mod_auth_openidc, and the
 * module that admits each once. */
#include "recipes/web.h"
#include "serve/signer.h"
#include "serve/snippet.h"
#include "support/asserts.h"
#include "support/ports.h"
#include "support/text_file.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKENS = 20, KILL_EVERY = 10 };

#define MODULES "/usr/lib/apache2/modules/"

static struct signer *issuer;

static char *bearer(const struct crowd_token *token)
{
    char *payload = text_of("{\"iss\":\"https://id.example.com\",\"aud\":\"https://app.example\","
                            "\"sub\":\"alice\",\"jti\":\"%s\",\"iat\":%ld,\"exp\":%ld}",
                            token->jti, token->iat, token->exp);
    char *signed_token = signer_token(issuer, "JWT", "key-1", payload);
    char *line = text_of("Authorization: Bearer %s\r\n", signed_token);
    free(signed_token);
    free(payload);
    return line;
}

/* ---- its configuration ---- */

static char *recipe(const struct web *web)
{
    char *text = text_file_read(EXAMPLES "/apache/jtiguard.conf");
    text = snippet_replace(text, "host:/run/jtiguard-host/store", web->place.store);
    text = snippet_replace(text, "/etc/apache2/issuer.pem", place_path(&web->place, "issuer.pem"));
    text = snippet_replace(text, "modules/mod_jtiguard.so", EXAMPLE_MOD_JTIGUARD);
    return snippet_replace(text, "modules/mod_auth_openidc.so", MODULES "mod_auth_openidc.so");
}

static void write_configuration(const struct web *web)
{
    static const char *const loaded[] = {"mpm_prefork", "authz_core", "authn_core", "authz_user",
                                         "dir"};
    char *text = text_of("ServerRoot %s\nPidFile pid\nErrorLog log\nListen 127.0.0.1:%u\n"
                         "ServerName app.example\nDocumentRoot %s\n"
                         "User nobody\nGroup nogroup\n",
                         web->place.folder, (unsigned)web->port, web->place.folder);
    for (size_t i = 0; i < sizeof loaded / sizeof *loaded; i++) {
        char *more =
            text_of("%sLoadModule %s_module " MODULES "mod_%s.so\n", text, loaded[i], loaded[i]);
        free(text);
        text = more;
    }
    char *own = recipe(web);
    char *whole = text_of("%sStartServers 8\nMinSpareServers 8\nMaxSpareServers 8\n"
                          "MaxRequestWorkers 8\nCustomLog workers %%P\n%s",
                          text, own);
    file_write(place_path(&web->place, "httpd.conf"), whole);
    free(whole);
    free(own);
    free(text);
}

/* ---- its life ---- */

static void start(struct web *web)
{
    char *preload = text_of("LD_PRELOAD=%s", SANITIZER_LIBRARY);
    const char *const variables[] = {preload, "ASAN_OPTIONS=detect_leaks=0", NULL};
    const char *const words[] = {program_path("apache2"),
                                 "-D",
                                 "FOREGROUND",
                                 "-f",
                                 place_path(&web->place, "httpd.conf"),
                                 NULL};
    web_start(web, variables, words);
    free(preload);
}

/* A graceful restart, in the midst of which tokens are shown; a kill of all processes at once; an
 * orderly end. */
static pid_t restart(struct web *web, unsigned time)
{
    if (time == 0) {
        assert_int_equal(kill(web->process.pid, SIGUSR1), 0);
        return web->process.pid;
    }
    web_stop(web, time == 1 ? SIGKILL : SIGTERM);
    start(web);
    return web->process.pid;
}

static unsigned count_workers(const struct web *web)
{
    char *log = text_file_read(place_path(&web->place, "workers"));
    long seen[256];
    unsigned count = 0;
    for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        unsigned at = 0;
        long pid = strtol(line, NULL, 10);
        while (at < count && seen[at] != pid)
            at++;
        if (at == count && count < sizeof seen / sizeof *seen)
            seen[count++] = pid;
    }
    free(log);
    return count;
}

static bool is_there(const char *path)
{
    return access(path, R_OK) == 0;
}

static void set_up(struct web *web)
{
    /* httpd's processes are nobody's, if they can be. */
    place_init_for(&web->place, geteuid() == 0 ? "nogroup" : NULL);
    web->port = port_take();
    issuer = signer_new("RS256");
    char *key = signer_pem(issuer);
    file_write(place_path(&web->place, "issuer.pem"), key);
    free(key);
    file_write(place_path(&web->place, "login"), "welcome\n");
    write_configuration(web);
    start(web);
}

static void eight_processes_are_one_guard(void **state)
{
    static struct web web = {.takes_one = true, .headers = bearer};
    (void)state;
    if (program_path("apache2") == NULL || !is_there(MODULES "mod_auth_openidc.so") ||
        !is_there(EXAMPLE_MOD_JTIGUARD)) {
        print_message("apache2, its headers or mod_auth_openidc are not there\n");
        skip();
    }
    set_up(&web);
    web_try(&web, "Apache, 8 prefork processes", TOKENS, KILL_EVERY, restart);
    web_stop(&web, SIGTERM);
    assert_in_range(count_workers(&web), 2 * WEB_RESTARTS, UINT32_MAX);
    print_message("%u processes\n", count_workers(&web));
    signer_free(issuer);
    port_give_back(web.port);
    place_end(&web.place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(eight_processes_are_one_guard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
