/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/subject.h"

#include "bench/port.h"
#include "bench/progress.h"
#include "bench/redis/child.h"
#include "bench/redis/server.h"
#include "bench/serve/floor.h"

#include <jtiguard/redis.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_TRIES = 1000, READY_PAUSE_MS = 10, LIMIT_S = 600 };

struct subject {
    pid_t pid;
    unsigned port;
    char folder[64]; /* "" = none */
    char keys_path[96];
    char secret_path[96];
    struct bench_server redis;
};

static bool complain(const char *text)
{
    bench_progress_clear();
    fprintf(stderr, "jtiguard bench serve: %s\n", text);
    return false;
}

/* ---- start and end ---- */

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fputs(text, file) >= 0;
    good = file != NULL && fclose(file) == 0 && good;
    return good || complain("a file of settings cannot be written");
}

static bool write_settings(struct subject *subject, const char *keys)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(subject->folder, sizeof subject->folder, "%.32s/jtiguard-bench.XXXXXX",
                   base != NULL && *base == '/' ? base : "/tmp");
    if (mkdtemp(subject->folder) == NULL) {
        subject->folder[0] = '\0';
        return complain("no folder for the keys");
    }
    (void)snprintf(subject->keys_path, sizeof subject->keys_path, "%s/keys.json", subject->folder);
    (void)snprintf(subject->secret_path, sizeof subject->secret_path, "%s/secret", subject->folder);
    return write_file(subject->keys_path, keys) &&
           write_file(subject->secret_path, BENCH_API_SECRET);
}

static bool spawn(struct subject *subject, const char *store)
{
    char listen[40];
    char keys[128];
    char secret[128];
    char uri[96];
    (void)snprintf(listen, sizeof listen, "--listen=127.0.0.1:%u", subject->port);
    (void)snprintf(keys, sizeof keys, "--jwks-file=%s", subject->keys_path);
    (void)snprintf(secret, sizeof secret, "--api-secret-file=%s", subject->secret_path);
    (void)snprintf(uri, sizeof uri, "--store=%s", store);
    /* The times of a request: longer than the store's, which is long so that no pause is an error.
     */
    const char *words[] = {"/proc/self/exe",
                           "serve",
                           listen,
                           "--admin-listen=127.0.0.1:0",
                           keys,
                           secret,
                           uri,
                           "--issuer",
                           BENCH_ISSUER_URL,
                           "--audience",
                           BENCH_ISSUER_AUDIENCE,
                           "--log-level=error",
                           "--request-timeout=30s",
                           "--drain-timeout=30s",
                           NULL};
    subject->pid = bench_child_start(words, -1, LIMIT_S);
    return subject->pid != 0 || complain("no process");
}

#ifdef JTIGUARD_BENCH_HAS_REDIS
/* The server is new, and would else be taken for one that has forgotten. */
static bool vouch(const char *uri)
{
    jtg_cache *cache = NULL;
    bool good =
        jtg_redis_new_uri(&cache, uri, NULL) == JTG_OK && jtg_redis_vouch(cache, 0, NULL) == JTG_OK;
    jtg_cache_free(cache);
    return good || complain("nobody can vouch for the store");
}
#endif

static bool spawn_on_redis(struct subject *subject)
{
#ifdef JTIGUARD_BENCH_HAS_REDIS
    return bench_server_start(&subject->redis) && vouch(subject->redis.uri) &&
           spawn(subject, subject->redis.uri);
#else
    (void)subject;
    return complain("no Redis in this build");
#endif
}

static bool answers(unsigned port)
{
    const union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } to = {.v4 = {.sin_family = AF_INET,
                   .sin_port = htons((uint16_t)port),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && connect(fd, &to.any, sizeof to.v4) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

static bool wait_until_it_answers(struct subject *subject)
{
    static const struct timespec pause = {0, READY_PAUSE_MS * 1000000L};
    for (int i = 0; i < READY_TRIES; i++) {
        if (waitpid(subject->pid, NULL, WNOHANG) == subject->pid) {
            subject->pid = 0;
            break;
        }
        if (answers(subject->port))
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return complain("the server does not start");
}

static bool start(struct subject *subject, enum bench_subject_kind kind, const char *keys)
{
    memset(subject, 0, sizeof *subject);
    subject->port = bench_port_find();
    if (subject->port == 0)
        return complain("no free port");
    bool good = false;
    switch (kind) {
    case BENCH_SUBJECT_FLOOR:
        subject->pid = bench_floor_start(subject->port);
        good = subject->pid != 0;
        break;
    case BENCH_SUBJECT_MEMORY:
    case BENCH_SUBJECT_API:
        good = write_settings(subject, keys) && spawn(subject, "memory");
        break;
    case BENCH_SUBJECT_REDIS:
        good = write_settings(subject, keys) && spawn_on_redis(subject);
        break;
    }
    return good && wait_until_it_answers(subject);
}

static void end(struct subject *subject)
{
    if (subject->pid != 0) {
        (void)kill(subject->pid, SIGTERM);
        (void)bench_child_wait(subject->pid);
    }
#ifdef JTIGUARD_BENCH_HAS_REDIS
    if (subject->redis.folder[0] != '\0')
        bench_server_stop(&subject->redis);
#endif
    if (subject->folder[0] != '\0') {
        (void)unlink(subject->keys_path);
        (void)unlink(subject->secret_path);
        (void)rmdir(subject->folder);
    }
}

/* ---- load ---- */

static double cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec spent = {0, 0};
    if (clock_getcpuclockid(pid, &clock) == 0)
        (void)clock_gettime(clock, &spent);
    return (double)spent.tv_sec * 1e6 + (double)spent.tv_nsec / 1e3;
}

static bool ask_all(const struct subject *subject, const struct bench_tokens *tokens, bool api,
                    unsigned connections, struct bench_subject_result *result)
{
    static struct bench_http_result answers;
    const struct bench_http_load load = {.port = (uint16_t)subject->port,
                                         .connections = connections,
                                         .requests = api ? tokens->claims : tokens->requests,
                                         .count = tokens->count,
                                         .warm = tokens->count / 10};
    double before = cpu_us(subject->pid);
    if (!bench_http_load_run(&load, &answers))
        return false;
    if (answers.statuses[200] != tokens->count)
        return complain("a fresh token was not admitted");
    *result = (struct bench_subject_result){
        answers.ops_per_s, bench_histogram_quantile_us(&answers.latency, 0.5),
        bench_histogram_quantile_us(&answers.latency, 0.99),
        (cpu_us(subject->pid) - before) / (double)tokens->count};
    return true;
}

bool bench_subject_measure(enum bench_subject_kind kind, const struct bench_tokens *tokens,
                           unsigned connections, struct bench_subject_result *result)
{
    struct subject subject;
    bool good = start(&subject, kind, tokens->keys) &&
                ask_all(&subject, tokens, kind == BENCH_SUBJECT_API, connections, result);
    end(&subject);
    return good;
}

bool bench_subject_has_redis(void)
{
#ifdef JTIGUARD_BENCH_HAS_REDIS
    static const char *const words[] = {"redis-server", "--version", NULL};
    pid_t child = bench_child_start(words, -1, LIMIT_S);
    if (child != 0 && bench_child_wait(child) == 0)
        return true;
#endif
    return complain("Redis is left out: no redis-server, or a build without Redis");
}
