/* SPDX-License-Identifier: Apache-2.0 */
/* examples/gunicorn: workers of Python that were forked from one process. */
#include "recipes/web.h"
#include "serve/signer.h"
#include "support/asserts.h"
#include "support/ports.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKENS = 16, KILL_EVERY = 5 };

static char *claims_header(const struct crowd_token *token)
{
    return text_of("X-Verified-Claims: {\"iss\": \"https://id.example.com\", \"jti\": \"%s\", "
                   "\"iat\": %ld, \"exp\": %ld}\r\n",
                   token->jti, token->iat, token->exp);
}

static void start(struct web *web)
{
    static const char library[] = "JTIGUARD_LIBRARY=" JTIGUARD_LIBRARY_PATH;
    static const char path[] = "PYTHONPATH=" CLIENTS "/python";
    static const char config[] = "--config=" EXAMPLES "/gunicorn/gunicorn.conf.py";
    char *store = text_of("JTIGUARD_STORE=%s", web->place.store);
    char *preload = text_of("LD_PRELOAD=%s", SANITIZER_LIBRARY);
    char *bind = text_of("--bind=127.0.0.1:%u", (unsigned)web->port);
    const char *const variables[] = {
        store, preload, library, path, "ASAN_OPTIONS=detect_leaks=0", "PYTHONDONTWRITEBYTECODE=1",
        NULL};
    const char *const words[] = {program_path("gunicorn"), config, "--log-level=warning",
                                 /* It does not tell a worker twice that was about to begin. */
                                 "--graceful-timeout=1", bind, NULL};
    web_start(web, variables, words);
    free(bind);
    free(preload);
    free(store);
}

/* An orderly end, a kill of all of them at once, an orderly end. */
static pid_t restart(struct web *web, unsigned time)
{
    web_stop(web, time == 1 ? SIGKILL : SIGTERM);
    start(web);
    return web->process.pid;
}

static void eight_workers_are_one_guard(void **state)
{
    static struct web web = {.takes_one = true, .headers = claims_header};
    (void)state;
    if (program_path("gunicorn") == NULL) {
        print_message("gunicorn is not there\n");
        skip();
    }
    place_init(&web.place);
    web.port = port_take();
    start(&web);
    web_try(&web, "gunicorn, 8 workers", TOKENS, KILL_EVERY, restart);
    web_stop(&web, SIGTERM);
    port_give_back(web.port);
    place_end(&web.place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(eight_workers_are_one_guard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
