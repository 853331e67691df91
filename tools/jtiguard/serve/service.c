/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/service.h"

#include "monotonic.h"
#include "serve/announcement.h"
#include "serve/answer/owner_tally.h"
#include "serve/answer/routes.h"
#include "serve/http/http_server.h"
#include "serve/settings/service_options.h"
#include "serve/settings/settings_reader.h"
#include "serve/verify/entries.h"
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    ADMIN_THREADS = 2,
    ADMIN_CONNECTIONS = 256,
    THREADS_PER_PROCESSOR = 4,
    THREADS_LEAST = 8,
    THREADS_DEFAULT_MOST = 64,
    /* Descriptors beside connections: listeners, epoll, the store, keys, the log. */
    OTHER_DESCRIPTORS = 512,
    DRAIN_STEP_MS = 10,
    /* How long a request that was sent before the listener closed may need to show up. */
    DRAIN_QUIET_MS = 200
};

/* ---- start ---- */

static jtg_status fail(struct settings_problem *problem, jtg_status status, const char *what,
                       const jtg_error *err)
{
    const char *text = err != NULL && err->text[0] != '\0' ? err->text : jtg_status_text(status);
    settings_problem_set(problem, "%s: %s", what, text);
    return status;
}

static size_t listener_count(const struct service_settings *settings)
{
    return settings->listen.count + settings->api_listen.count;
}

/* Without enough of them the last connections would be refused by chance, and the store's among
 * them. */
static jtg_status raise_descriptors(const struct service_settings *settings,
                                    struct settings_problem *problem)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)listener_count(settings) * settings->max_connections +
                    (rlim_t)settings->admin_listen.count * ADMIN_CONNECTIONS + OTHER_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return fail(problem, JTG_ERR_SYSTEM, "descriptors", NULL);
    if (limit.rlim_cur >= wanted)
        return JTG_OK;
    if (limit.rlim_max >= wanted) {
        limit.rlim_cur = wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return JTG_OK;
    }
    settings_problem_set(problem,
                         "max_connections needs %llu descriptors, and this process may have %llu",
                         (unsigned long long)wanted, (unsigned long long)limit.rlim_max);
    return JTG_ERR_ARGUMENT;
}

static struct log_rules log_rules(const struct service_settings *settings)
{
    return (struct log_rules){settings->log_format == LOG_FORMAT_JSON,
                              (jtg_log_level)settings->log_level, settings->log_rate};
}

static jtg_status start_log(struct service *service, const struct service_settings *settings,
                            int log_fd, struct settings_problem *problem)
{
    struct log_rules rules = log_rules(settings);
    service->responder.log = service_log_new(log_fd, &rules);
    if (service->responder.log == NULL)
        return fail(problem, JTG_ERR_MEMORY, "log", NULL);
    service->logger = service_log_as_logger(service->responder.log);
    return JTG_OK;
}

/* The store says itself why it cannot be opened. */
static jtg_status start_guard(struct service *service, struct service_settings *settings,
                              struct settings_problem *problem)
{
    jtg_error err = JTG_ERROR_INIT;
    settings->tool.logger = &service->logger;
    if (service->responder.cache == NULL && store_open(&service->responder.cache, &settings->tool,
                                                       &service->responder.clock) != EXIT_ADMITTED)
        return fail(problem, JTG_ERR_SYSTEM, "the store cannot be opened", NULL);
    jtg_guard_options options = settings->tool.guard;
    options.clock = &service->responder.clock;
    options.logger = &service->logger;
    jtg_status status =
        jtg_guard_new(&service->responder.guard, service->responder.cache, &options, &err);
    return status == JTG_OK ? JTG_OK : fail(problem, status, "the guard", &err);
}

/* All instances on one store have one set of them, whose key lies there. */
static jtg_status start_challenges(struct service *service, struct settings_problem *problem)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_challenges_options options = JTG_CHALLENGES_OPTIONS_INIT;
    options.name = "serve";
    options.lifetime_ms = CHALLENGE_LIFETIME_MOST_MS;
    options.clock = &service->responder.clock;
    jtg_status status = jtg_challenges_new(&service->responder.challenges, service->responder.cache,
                                           &options, &err);
    return status == JTG_OK ? JTG_OK : fail(problem, status, "challenges", &err);
}

static struct verify_settings verify_settings_of(const struct service *service,
                                                 const struct service_settings *settings)
{
    struct verify_settings verify = settings->verify;
    verify.clock = &service->responder.clock;
    verify.logger = &service->logger;
    return verify;
}

static jtg_status start_verifier(struct service *service, const struct service_settings *settings,
                                 struct settings_problem *problem)
{
    jtg_error err = JTG_ERROR_INIT;
    struct verify_settings verify = verify_settings_of(service, settings);
    if (settings->issuers.count == 0)
        return JTG_OK;
    /* No issuer's keys are waited for here: each token waits for those of its own. */
    jtg_status status = verifier_new(&service->responder.verifier, &verify, &err);
    return status == JTG_OK ? JTG_OK : fail(problem, status, "issuers", &err);
}

static jtg_status start_rooms(struct service *service, const struct service_settings *settings,
                              struct settings_problem *problem)
{
    uint32_t request_ms = settings->request_timeout_s * 1000;
    uint32_t keepalive_ms = settings->keepalive_timeout_s * 1000;
    if (settings->replay_cache_entries > 0)
        service->responder.replays = slots_new(settings->replay_cache_entries);
    service->responder.refusal_limit = slots_new(settings->limited_clients);
    service->responder.owners = slots_new(OWNER_TALLIES);
    service->responder.connections = connections_new(request_ms, keepalive_ms);
    service->responder.admin_connections = connections_new(request_ms, keepalive_ms);
    service->responder.prober = prober_new(service->responder.guard, service->responder.log);
    bool made = settings->replay_cache_entries == 0 || service->responder.replays != NULL;
    if (made && service->responder.refusal_limit != NULL && service->responder.owners != NULL &&
        service->responder.connections != NULL && service->responder.admin_connections != NULL &&
        service->responder.prober != NULL)
        return JTG_OK;
    return fail(problem, JTG_ERR_MEMORY, "start", NULL);
}

static unsigned thread_count(const struct service_settings *settings)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long count = (processors > 0 ? processors : 1) * THREADS_PER_PROCESSOR;
    if (settings->threads > 0)
        return settings->threads;
    if (count < THREADS_LEAST)
        return THREADS_LEAST;
    return count > THREADS_DEFAULT_MOST ? THREADS_DEFAULT_MOST : (unsigned)count;
}

static struct http_rules http_rules(struct service *service,
                                    const struct service_settings *settings, enum http_role role)
{
    bool admin = role == HTTP_ADMIN;
    return (struct http_rules){
        .role = role,
        .answerer = routes_answerer(&service->responder),
        .connections =
            admin ? service->responder.admin_connections : service->responder.connections,
        .threads = admin ? ADMIN_THREADS : thread_count(settings),
        .max_connections = admin ? ADMIN_CONNECTIONS : settings->max_connections,
        .max_connections_per_client = admin ? 0 : settings->max_connections_per_client,
        .max_header_bytes = settings->max_header_bytes,
        .idle_timeout_s = settings->keepalive_timeout_s};
}

static jtg_status start_servers(struct service *service, const struct service_settings *settings,
                                const struct text_list *addresses, enum http_role role,
                                struct settings_problem *problem)
{
    struct http_rules rules = http_rules(service, settings, role);
    for (size_t i = 0; i < addresses->count; i++) {
        struct listener listener;
        const char *wrong = listener_open(&listener, addresses->items[i], settings->socket_mode);
        if (wrong != NULL) {
            settings_problem_set(problem, "%.100s %s%s%s", addresses->items[i], wrong,
                                 errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
            return JTG_ERR_SYSTEM;
        }
        struct http_server *server = http_server_start(&listener, &rules);
        if (server == NULL)
            return fail(problem, JTG_ERR_SYSTEM, "the HTTP server", NULL);
        service->servers[service->server_count++] = server;
    }
    return JTG_OK;
}

/* The address that says that it lives comes last: then all is there. */
static jtg_status start_all_servers(struct service *service,
                                    const struct service_settings *settings,
                                    struct settings_problem *problem)
{
    jtg_status status = start_servers(service, settings, &settings->listen, HTTP_MAIN, problem);
    if (status == JTG_OK)
        status = start_servers(service, settings, &settings->api_listen, HTTP_API, problem);
    if (status == JTG_OK)
        status = start_servers(service, settings, &settings->admin_listen, HTTP_ADMIN, problem);
    return status;
}

static void warn_of_memory(struct service *service)
{
    if (strcmp(jtg_cache_backend(service->responder.cache), "memory") != 0)
        return;
    service_log_text(service->responder.log, JTG_LOG_WARNING, "memory_store",
                     "tokens are remembered by this process alone: a second instance would admit "
                     "each of them once more, and so does a restart without restart_rule");
}

static void warn_of_former_names(struct service *service, const struct service_settings *settings)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(settings->merged.formers, name, value)
    {
        char text[160];
        (void)snprintf(text, sizeof text,
                       "the setting %s is called %s now; the next version does not know the old "
                       "name any more",
                       name, service_name_now(name));
        service_log_text(service->responder.log, JTG_LOG_WARNING, "former_name", text);
    }
}

static jtg_status start(struct service *service, struct service_settings *settings, int log_fd,
                        struct settings_problem *problem)
{
    jtg_status status = raise_descriptors(settings, problem);
    if (status == JTG_OK)
        status = start_log(service, settings, log_fd, problem);
    if (status == JTG_OK)
        status = start_guard(service, settings, problem);
    if (status == JTG_OK)
        status = start_challenges(service, problem);
    if (status == JTG_OK)
        status = start_verifier(service, settings, problem);
    if (status == JTG_OK)
        status = start_rooms(service, settings, problem);
    if (status == JTG_OK) {
        warn_of_memory(service);
        warn_of_former_names(service, settings);
    }
    return status == JTG_OK ? start_all_servers(service, settings, problem) : status;
}

/* ---- end ---- */

static void stop_servers(struct service *service, bool admin)
{
    size_t kept = 0;
    for (size_t i = 0; i < service->server_count; i++) {
        if ((http_server_role(service->servers[i]) == HTTP_ADMIN) == admin)
            http_server_stop(service->servers[i]);
        else
            service->servers[kept++] = service->servers[i];
    }
    service->server_count = kept;
}

/* The HTTP library does not end while a connection is paused. */
static void hurry(struct service *service)
{
    if (service->responder.verifier != NULL)
        verifier_hurry(service->responder.verifier);
}

static void destroy(struct service *service)
{
    hurry(service);
    stop_servers(service, false);
    stop_servers(service, true);
    prober_free(service->responder.prober);
    connections_free(service->responder.connections);
    connections_free(service->responder.admin_connections);
    slots_free(service->responder.refusal_limit);
    slots_free(service->responder.owners);
    slots_free(service->responder.replays);
    verifier_free(service->responder.verifier);
    jtg_challenges_free(service->responder.challenges);
    jtg_guard_free(service->responder.guard);
    jtg_cache_free(service->responder.cache);
    service_log_free(service->responder.log);
    policy_clear(&service->responder.policy);
    free(service);
}

jtg_status service_start(struct service **service, struct service_settings *settings,
                         const struct service_parts *parts, struct settings_problem *problem)
{
    static const struct service_parts none = {NULL, NULL, -1};
    const struct service_parts *given = parts != NULL ? parts : &none;
    *service = NULL;
    struct policy *policy = policy_new(settings);
    struct service *made = calloc(1, sizeof *made);
    if (policy == NULL || made == NULL) {
        policy_release(policy);
        free(made);
        jtg_cache_free(given->cache);
        return fail(problem, JTG_ERR_MEMORY, "start", NULL);
    }
    policy_init(&made->responder.policy, policy);
    made->responder.cache = given->cache;
    made->responder.clock = given->clock != NULL ? *given->clock : jtg_clock_system();
    made->responder.start_wall_ms = made->responder.clock.wall_ms(made->responder.clock.context);
    jtg_status status =
        start(made, settings, given->log_fd >= 0 ? given->log_fd : STDERR_FILENO, problem);
    if (status != JTG_OK) {
        destroy(made);
        return status;
    }
    const struct announced announced = {made->responder.log, settings, made->responder.cache,
                                        made->servers, made->server_count};
    announcement_log(&announced);
    *service = made;
    return JTG_OK;
}

/* ---- reload ---- */

/* A token that the old settings admitted must be a replay by the new ones. */
static bool remembers_alike(const struct service_settings *old_settings,
                            const struct service_settings *settings,
                            struct settings_problem *problem)
{
    size_t index = 0;
    const char *moved = entries_moved(&old_settings->verify, &settings->verify, &index);
    if (moved == NULL)
        return true;
    settings_problem_set(problem,
                         "issuer %zu (%.60s): a new %s would make its used tokens good once more: "
                         "it needs a restart, when none of them is alive",
                         index + 1, entry_name(&settings->verify.issuers[index]), moved);
    return false;
}

static bool may_replace(const struct service *service, const struct service_settings *settings,
                        struct settings_problem *problem)
{
    const struct service_settings *old = policy_settings(service->responder.policy.current);
    const char *frozen = service_settings_frozen_change(old, settings);
    if (frozen == NULL && (service->responder.verifier != NULL) != (settings->issuers.count > 0))
        frozen = "issuers (none or some)";
    if (frozen == NULL)
        return remembers_alike(old, settings, problem);
    settings_problem_set(problem, "%s cannot change without a restart", frozen);
    return false;
}

/* What a reload puts in the place of the settings before. */
struct successor {
    struct service *service;
    struct policy *policy;
};

static void put_in_effect(void *context)
{
    const struct successor *successor = context;
    policy_replace(&successor->service->responder.policy, successor->policy);
}

static bool replace(struct service *service, struct service_settings *settings,
                    struct settings_problem *problem)
{
    jtg_error err = JTG_ERROR_INIT;
    bool good = may_replace(service, settings, problem);
    if (!good) {
        service_settings_free(settings);
        return false;
    }
    struct log_rules rules = log_rules(settings);
    settings->tool.logger = &service->logger;
    settings->verify.generation =
        policy_settings(service->responder.policy.current)->verify.generation + 1;
    struct verify_settings verify = verify_settings_of(service, settings);
    struct successor successor = {service, policy_new(settings)};
    if (successor.policy == NULL)
        return fail(problem, JTG_ERR_MEMORY, "reload", NULL) == JTG_OK;
    verify.in_effect = put_in_effect;
    verify.in_effect_context = &successor;
    if (service->responder.verifier != NULL) {
        jtg_status status = verifier_reload(service->responder.verifier, &verify, &err);
        if (status != JTG_OK) {
            (void)fail(problem, status, "issuers", &err);
            policy_release(successor.policy);
            return false;
        }
    } else {
        put_in_effect(&successor);
    }
    service_log_set_rules(service->responder.log, &rules);
    /* What the old issuers' tokens were is no longer the question. */
    slots_clear(service->responder.replays);
    return true;
}

bool service_reload(struct service *service, struct service_settings *settings,
                    struct settings_problem *problem)
{
    bool good = replace(service, settings, problem);
    metrics_add(good ? &service->responder.metrics.reloads
                     : &service->responder.metrics.reload_failures);
    if (good)
        service_log_text(service->responder.log, JTG_LOG_INFO, "reloaded",
                         "new settings are in effect");
    else
        service_log_text(service->responder.log, JTG_LOG_ERROR, "reload_refused", problem->text);
    return good;
}

/* ---- drain ---- */

void service_begin_drain(struct service *service)
{
    if (atomic_exchange(&service->responder.draining, true))
        return;
    service_log_text(service->responder.log, JTG_LOG_INFO, "draining", "no longer ready");
}

/* Once nothing was under way for a while, nothing more comes: what connected before the listener
 * closed has been taken. */
static void wait_until_quiet(const struct service *service, int64_t end)
{
    const struct timespec step = {0, DRAIN_STEP_MS * 1000000L};
    int64_t now = monotonic_ns();
    int64_t quiet_since = now;
    while (now < end) {
        struct connection_count count = connections_count(service->responder.connections);
        if (count.busy > 0)
            quiet_since = now;
        if (count.open == 0 && now - quiet_since >= DRAIN_STEP_MS * INT64_C(1000000))
            return;
        if (now - quiet_since >= DRAIN_QUIET_MS * INT64_C(1000000))
            return;
        (void)nanosleep(&step, NULL);
        now = monotonic_ns();
    }
    service_log_text(service->responder.log, JTG_LOG_WARNING, "drain_timeout",
                     "requests were cut off");
}

void service_stop(struct service *service)
{
    if (service == NULL)
        return;
    service_begin_drain(service);
    int64_t drain_s = policy_settings(service->responder.policy.current)->drain_timeout_s;
    int64_t cut_ns = monotonic_ns() + drain_s * 1000000000;
    atomic_store(&service->responder.cut_ns, cut_ns);
    for (size_t i = 0; i < service->server_count; i++)
        if (http_server_role(service->servers[i]) != HTTP_ADMIN)
            http_server_quiesce(service->servers[i]);
    hurry(service);
    connections_drain(service->responder.connections);
    wait_until_quiet(service, cut_ns);
    stop_servers(service, false);
    service_log_text(service->responder.log, JTG_LOG_INFO, "stopped", "nothing is under way");
    destroy(service);
}

uint16_t service_port(const struct service *service, enum http_role role)
{
    for (size_t i = 0; i < service->server_count; i++) {
        const struct listener *listener = http_server_listener(service->servers[i]);
        if (http_server_role(service->servers[i]) == role && listener->port != 0)
            return listener->port;
    }
    return 0;
}
