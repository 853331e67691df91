/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard serve`: settings in, a service until a signal ends it. It stays in the foreground: a
 * store belongs to the process that made it. */
#include "serve/serve.h"

#include "message.h"
#include "monotonic.h"
#include "serve/notify.h"
#include "serve/service.h"
#include "serve/settings/service_options.h"
#include "serve/settings/settings_reader.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

static const char intro[] =
    "usage: jtiguard serve [OPTIONS]\n"
    "\n"
    "Guards single-use tokens for proxies (/check) and for verifiers in any language (/v1/).\n"
    "Each option can also be set in the environment (JTIGUARD_MAX_BODY_BYTES for\n"
    "--max-body-bytes) or in a file of JSON (\"max_body_bytes\"). The command line is stronger\n"
    "than the environment, and the environment is stronger than the file. A secret X can be\n"
    "read from a file: X_file. See docs/serve.md and docs/reference/settings.md.\n"
    "\n"
    "Signals: SIGHUP reloads the keys and all settings, except those that need a restart.\n"
    "SIGTERM and SIGINT shut down cleanly.\n"
    "Exit: 0 ended by a signal, 2 settings, 3 trouble.\n";

static const char examples[] =
    "\n"
    "Examples:\n"
    "  jtiguard serve --store host: --api-listen unix:/run/jtiguard/api.sock\n"
    "  jtiguard serve --issuer https://id.example.com --audience timesheets \\\n"
    "      --store redis://cache.example\n";

static void print_help(void)
{
    (void)fputs(intro, stdout);
    service_options_print(stdout);
    (void)printf("  %-26s %s\n", "-h, --help", "show this help");
    (void)fputs(examples, stdout);
}

static void block_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGHUP);
    /* Before any thread is made, so that none of them ever takes one; and before all else, for a
     * signal that comes during the start is for the service that it starts. */
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static void reload(struct service *service, const struct program *program)
{
    struct service_settings *settings = NULL;
    struct settings_problem problem = {{0}};
    notify_reloading();
    if (service_settings_read(&settings, program, &problem) == SETTINGS_READ) {
        (void)service_reload(service, settings, &problem);
    } else {
        metrics_add(&service->responder.metrics.reload_failures);
        service_log_text(service->responder.log, JTG_LOG_ERROR, "reload_refused", problem.text);
    }
    notify_ready();
}

/* A second signal makes it end at once. */
static void serve_on(const sigset_t *signals, uint32_t seconds)
{
    int64_t end = monotonic_ns() + (int64_t)seconds * 1000000000;
    for (int64_t left = end - monotonic_ns(); left > 0; left = end - monotonic_ns()) {
        struct timespec wait = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
        int got = sigtimedwait(signals, NULL, &wait);
        if (got == SIGTERM || got == SIGINT)
            return;
    }
}

static void run(struct service *service, const struct program *program, const sigset_t *signals)
{
    int got = 0;
    notify_ready();
    while (got != SIGTERM && got != SIGINT) {
        got = sigwaitinfo(signals, NULL);
        if (got == SIGHUP)
            reload(service, program);
    }
    notify_stopping();
    service_begin_drain(service);
    struct policy *policy = policy_hold(&service->responder.policy);
    uint32_t delay_s = policy_settings(policy)->drain_delay_s;
    policy_release(policy);
    serve_on(signals, delay_s);
    service_stop(service);
}

static enum exit_code start_and_run(struct service_settings *settings,
                                    const struct program *program, const sigset_t *signals)
{
    struct service *service = NULL;
    struct settings_problem problem = {{0}};
    jtg_status status = service_start(&service, settings, NULL, &problem);
    if (status != JTG_OK) {
        complain("serve: %s", problem.text);
        return status == JTG_ERR_ARGUMENT || status == JTG_ERR_UNSUPPORTED ? EXIT_USAGE
                                                                           : EXIT_TROUBLE;
    }
    run(service, program, signals);
    return EXIT_ADMITTED;
}

enum exit_code serve_main(int argc, char **argv)
{
    const struct program program = {argc, argv, environ};
    struct service_settings *settings = NULL;
    struct settings_problem problem = {{0}};
    sigset_t signals;
    block_signals(&signals);
    if (sodium_init() < 0) {
        complain("serve: no randomness");
        return EXIT_TROUBLE;
    }
    switch (service_settings_read(&settings, &program, &problem)) {
    case SETTINGS_HELP:
        print_help();
        return argc == 2 ? EXIT_ADMITTED : EXIT_USAGE;
    case SETTINGS_WRONG:
        complain("serve: %s", problem.text);
        return EXIT_USAGE;
    case SETTINGS_READ:
        break;
    }
    return start_and_run(settings, &program, &signals);
}
