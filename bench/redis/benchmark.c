/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/redis/benchmark.h"

#include "bench/redis/child.h"
#include "bench/redis/client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REQUESTS_A_SECOND = 400000, /* what a server of today does, roughly */
    REQUESTS_MIN = 50000,
    LIMIT_S = 120,
    WORDS_MAX = 32
};

/* The longest range that its option takes: of a million keys a few hundred meet again. */
#define RANGE "2147483647"

static bool complain(const char *text)
{
    fprintf(stderr, "jtiguard bench redis: redis-benchmark %s\n", text);
    return false;
}

bool bench_benchmark_is_there(const struct bench_place *place)
{
    static const char *const words[] = {"redis-benchmark", "--version", NULL};
    if (place->options->password != NULL)
        return complain(
            "is left out: it takes a password on its command line only, for all to see");
    pid_t child = bench_child_start(words, -1, LIMIT_S);
    return (child != 0 && bench_child_wait(child) == 0) ||
           complain("is left out: it is not installed (package redis-tools)");
}

/* ---- its command line ---- */

struct line {
    const char *words[WORDS_MAX + 1];
    size_t count;
    char port[24];
    char database[24];
    char requests[24];
    char key[JTG_REDIS_PREFIX_MAX_BYTES + BENCH_FRESH_KEY_BYTES + 1];
};

static void add(struct line *line, const char *option, const char *value)
{
    line->words[line->count++] = option;
    if (value != NULL)
        line->words[line->count++] = value;
}

static void add_place(struct line *line, const jtg_redis_options *options)
{
    if (options->unix_path != NULL) {
        add(line, "-s", options->unix_path);
    } else {
        (void)snprintf(line->port, sizeof line->port, "%u", (unsigned)options->port);
        add(line, "-h", options->host != NULL ? options->host : JTG_REDIS_HOST_DEFAULT);
        add(line, "-p", line->port);
    }
    if (options->database != 0) {
        (void)snprintf(line->database, sizeof line->database, "%u", (unsigned)options->database);
        add(line, "--dbnum", line->database);
    }
}

/* The same command as the others send; __rand_int__ becomes 12 digits. */
static void add_command(struct line *line, const jtg_redis_options *options)
{
    (void)snprintf(line->key, sizeof line->key,
                   "%sjtg:bench:00000000000000000000000000__rand_int__",
                   options->prefix != NULL ? options->prefix : "");
    add(line, "SET", line->key);
    add(line, "0123456789abcdef", "NX");
    add(line, "PX", BENCH_REDIS_TTL);
}

static void write_line(struct line *line, const struct bench_place *place, uint64_t requests)
{
    memset(line, 0, sizeof *line);
    (void)snprintf(line->requests, sizeof line->requests, "%llu", (unsigned long long)requests);
    add(line, "redis-benchmark", NULL);
    add_place(line, place->options);
    add(line, "-c", "64");
    add(line, "-P", "64");
    add(line, "-n", line->requests);
    add(line, "-r", RANGE);
    add(line, "--csv", NULL);
    add_command(line, place->options);
}

/* ---- its answer ---- */

/* The last line of CSV: "SET …","375040.00",… */
static bool read_answer(FILE *output, double *ops_per_s)
{
    char text[1024] = "", row[1024] = "";
    while (fgets(text, sizeof text, output) != NULL)
        if (strncmp(text, "\"SET ", 5) == 0)
            memcpy(row, text, sizeof row);
    const char *number = strstr(row, "\",\"");
    *ops_per_s = number == NULL ? 0 : strtod(number + 3, NULL);
    return *ops_per_s > 0;
}

static bool run_and_read(const struct line *line, double *ops_per_s)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return complain("cannot be read from");
    pid_t child = bench_child_start(line->words, ends[1], LIMIT_S);
    (void)close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    bool good = output != NULL && read_answer(output, ops_per_s);
    if (output != NULL)
        (void)fclose(output);
    else
        (void)close(ends[0]);
    good = child != 0 && bench_child_wait(child) == 0 && good;
    return good || complain("failed");
}

bool bench_benchmark_run(const struct bench_place *place, double seconds, double *ops_per_s,
                         uint64_t *stored)
{
    struct line line;
    uint64_t requests = (uint64_t)(seconds * (double)REQUESTS_A_SECOND);
    *stored = requests < REQUESTS_MIN ? REQUESTS_MIN : requests;
    write_line(&line, place, *stored);
    return run_and_read(&line, ops_per_s);
}
