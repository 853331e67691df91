/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that a test runs beside itself: instances of the service, proxies. Each ends with the
 * test, even one that crashes. Failures assert, so use them in the test's own thread. */
#ifndef TESTS_SERVE_PROCESSES_H
#define TESTS_SERVE_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid; /* 0: not running */
};

/* Its two outputs go to the end of a file. words: NULL-terminated, the first of them a path. */
void process_start(struct process *process, const char *log_path, const char *const *words);

/* Send a signal and wait for the end, for at most twenty seconds: the exit code, or -1 when the
 * signal ended it. A process that does not run is no fault. */
int process_stop(struct process *process, int signal_number);

/* Fail the test because a program does not start, and show the end of its log. */
__attribute__((noreturn)) void process_fail(const char *program, const char *log_path);

/* Whether it still runs. */
bool process_lives(struct process *process);

/* Where a program of the system is, also one for root that an ordinary user's PATH does not show;
 * NULL: it is not installed. JTIGUARD_TEST_PROGRAMS names a folder whose programs come first. Valid
 * until the next call. */
const char *program_path(const char *name);

/* A port of 127.0.0.1 for a server that binds with SO_REUSEADDR, and for nobody else:
 * support/ports.h.
 */
uint16_t free_port(void);

/* A `jtiguard serve`, of one issuer whose keys lie in a file. */
struct instance {
    struct process process;
    uint16_t port;
    uint16_t admin_port;
};

#define INSTANCE_ISSUER   "https://issuer.example"
#define INSTANCE_AUDIENCE "https://api.example"
#define INSTANCE_KID      "key-1"

/* more: further words of the command line, NULL-terminated. keys_path: the usual issuer's keys;
 * NULL: more says which issuers there are. Ready when this returns. The log is log_path's. */
void instance_start(struct instance *instance, const char *log_path, const char *keys_path,
                    const char *const *more);
/* One that has ended, on the ports that it had. */
void instance_start_again(struct instance *instance, const char *log_path, const char *keys_path,
                          const char *const *more);
void instance_stop(struct instance *instance);

/* Whether it serves; ready: and says of itself that it would admit. */
bool instance_answers(const struct instance *instance, const char *path, unsigned status);

/* A series of its metrics, e.g. "jtiguard_ready" or with its labels; 0: it is not there. */
double instance_metric(const struct instance *instance, const char *series);

/* Wait for a condition, looking again and again, for at most twenty seconds. */
bool wait_until(bool (*holds)(void *context), void *context);

#endif
