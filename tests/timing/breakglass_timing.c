/* SPDX-License-Identifier: Apache-2.0 */
/* Does the time of a break-glass lookup tell what is in the store? Public headers only.
 *
 *   breakglass_timing count KIND TIMES  so many lookups of one kind, for a tool that counts
 *                                       instructions (tests/package/check-timing)
 *   breakglass_timing measure [SAMPLES] lookups of all kinds in random order, timed, compared
 *
 * `measure` compares each kind with "match", by the means of the faster half of the samples: what
 * else runs on the machine hits all kinds alike, and hides small differences. A kind is "equal"
 * when its mean is within 1 % of match's, and "differs" when it is outside, each with an error of 1
 * in 100,000 (the interval of Welch's statistic lies wholly inside, or outside); else "unsure", and
 * more samples or a quieter machine are needed. "detectable" is the difference from zero that would
 * have been found with a probability of 99 % at that error. 1 % is some 18 ns of an in-memory
 * lookup; where a record lies in memory alone makes a few.
 *
 * The row "again" is a match once more, and "control" a match with a planted delay, which must be
 * found. Ends with 0 when all are equal, 1 when one differs, 3 when it cannot be said; with
 * --report with 0 whatever was measured.
 */
#include <jtiguard/jtiguard.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    TEXT_LEN = JTG_BREAKGLASS_TEXT_BYTES - 1,
    COUNT_LIMIT = 1000000,
    BATCH = 16, /* lookups a sample */
    WARM = 4,   /* lookups before it, whose state is new */
    SAMPLES_DEFAULT = 20000,
    SAMPLES_LIMIT = 10000000,
    CONTROL_DELAY_NS = 60 /* about one comparison of 32 bytes that stops at the first difference */
};

enum kind {
    EMPTY,
    CLEARED,
    MISMATCH,
    NEAR,
    EXPIRED,
    FOREIGN,
    AGAIN,
    MATCH,
    CONTROL,
    MALFORMED,
    KINDS
};

static const char *const kind_names[KINDS] = {"empty",   "cleared",  "mismatch", "near",
                                              "expired", "foreign",  "again",    "match",
                                              "control", "malformed"};

struct bench {
    jtg_cache *cache;
    jtg_breakglass *breakglass;
    jtg_breakglass *foreign; /* another process's, with another key */
    char active[JTG_BREAKGLASS_TEXT_BYTES];
    char shown[JTG_BREAKGLASS_TEXT_BYTES];
    _Atomic int64_t now_ms;
    atomic_uint audited;
};

static int64_t clock_ms(void *context)
{
    return atomic_load(&((struct bench *)context)->now_ms);
}

static void audit(void *context, const jtg_breakglass_audit *entry)
{
    (void)entry;
    atomic_fetch_add(&((struct bench *)context)->audited, 1);
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "breakglass_timing: %s\n", what);
    exit(2);
}

static void open_bench(struct bench *bench)
{
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    jtg_clock clock = {sizeof clock, bench, clock_ms, clock_ms};
    atomic_store(&bench->now_ms, 1795176000000);
    memory.clock = &clock;
    memory.sweep_interval_ms = 0;
    options.clock = &clock;
    options.audit = audit;
    options.audit_context = bench;
    must(jtg_memory_new(&bench->cache, &memory, NULL) == JTG_OK, "no cache");
    must(jtg_breakglass_new(&bench->breakglass, bench->cache, &options, NULL) == JTG_OK &&
             jtg_breakglass_new(&bench->foreign, bench->cache, &options, NULL) == JTG_OK,
         "no place");
}

static void close_bench(struct bench *bench)
{
    jtg_breakglass_free(bench->breakglass);
    jtg_breakglass_free(bench->foreign);
    jtg_cache_free(bench->cache);
}

static void issue(struct bench *bench)
{
    must(jtg_breakglass_issue(bench->breakglass, JTG_BREAKGLASS_REPLACE, bench->active, NULL,
                              NULL) == JTG_OK,
         "cannot issue");
    memcpy(bench->shown, bench->active, sizeof bench->shown);
}

/* Each state is made by the same calls but for its last, so that what the allocator has seen is
 * much the same. */
static void prepare(struct bench *bench, enum kind kind)
{
    char unused[JTG_BREAKGLASS_TEXT_BYTES];
    issue(bench);
    switch (kind) {
    case EMPTY:
        must(jtg_cache_clear(bench->cache, NULL) == JTG_OK, "cannot empty the store");
        break;
    case CLEARED:
        must(jtg_breakglass_clear(bench->breakglass, NULL) == JTG_OK, "cannot clear");
        break;
    case MISMATCH:
        issue(bench);
        memcpy(bench->shown, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", sizeof bench->shown);
        break;
    case NEAR:
        issue(bench);
        bench->shown[TEXT_LEN - 2] = bench->shown[TEXT_LEN - 2] == 'A' ? 'B' : 'A';
        break;
    case EXPIRED:
        issue(bench);
        atomic_fetch_add(&bench->now_ms, (int64_t)JTG_BREAKGLASS_TTL_MS_DEFAULT);
        break;
    case FOREIGN:
        must(jtg_breakglass_issue(bench->foreign, JTG_BREAKGLASS_REPLACE, unused, NULL, NULL) ==
                 JTG_OK,
             "cannot issue");
        break;
    case MALFORMED:
        issue(bench);
        bench->shown[0] = '!';
        break;
    case AGAIN:
    case MATCH:
    case CONTROL:
    case KINDS:
        issue(bench);
        break;
    }
}

static void look_up(struct bench *bench, enum kind kind)
{
    jtg_breakglass_info info = JTG_BREAKGLASS_INFO_INIT;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status =
        jtg_breakglass_lookup(bench->breakglass, bench->shown, TEXT_LEN, &info, &err);
    must(status == (kind >= AGAIN && kind <= CONTROL ? JTG_OK : JTG_NOT_FOUND), "a wrong answer");
}

/* ---- count ---- */

static int count(struct bench *bench, const char *name, const char *number)
{
    unsigned long times = strtoul(number, NULL, 10);
    must(times >= 1 && times <= COUNT_LIMIT, "TIMES is not between 1 and 1,000,000");
    for (int kind = 0; kind < KINDS; kind++) {
        if (strcmp(name, kind_names[kind]) != 0)
            continue;
        prepare(bench, (enum kind)kind);
        for (unsigned long i = 0; i < times; i++)
            look_up(bench, (enum kind)kind);
        return 0;
    }
    must(false, "no such kind");
    return 2;
}

/* ---- measure ---- */

struct samples {
    double *ns; /* of one lookup */
    size_t count;
    double mean;
    double variance;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What a comparison that stops early would add. */
static void delay(void)
{
    uint64_t start = now_ns();
    while (now_ns() - start < CONTROL_DELAY_NS)
        ;
}

static void take_sample(struct bench *bench, enum kind kind, struct samples *samples)
{
    prepare(bench, kind);
    for (int i = 0; i < WARM; i++)
        look_up(bench, kind);
    uint64_t start = now_ns();
    for (int i = 0; i < BATCH; i++) {
        look_up(bench, kind);
        if (kind == CONTROL)
            delay();
    }
    samples->ns[samples->count++] = (double)(now_ns() - start) / BATCH;
}

static unsigned draw_below(unsigned bound)
{
    uint32_t number = 0;
    must(getrandom(&number, sizeof number, 0) == sizeof number, "no randomness");
    return number % bound;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void summarise(struct samples *samples)
{
    qsort(samples->ns, samples->count, sizeof samples->ns[0], by_size);
    samples->count /= 2;
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++)
        sum += samples->ns[i];
    samples->mean = sum / (double)samples->count;
    double squares = 0;
    for (size_t i = 0; i < samples->count; i++)
        squares += (samples->ns[i] - samples->mean) * (samples->ns[i] - samples->mean);
    samples->variance = squares / (double)(samples->count - 1);
}

/* Quantiles of the normal distribution: two-sided 1e-5, and one-sided 99 %. */
#define Z_ERROR 4.417
#define Z_POWER 2.326

enum finding { EQUAL, UNSURE, DIFFERS };

static const char *const finding_names[] = {"equal", "unsure", "differs"};

#define SAME_PART 0.01

struct verdict {
    double difference;
    double t;
    double detectable;
    enum finding finding;
};

static struct verdict compare(const struct samples *one, const struct samples *match)
{
    double error =
        sqrt(one->variance / (double)one->count + match->variance / (double)match->count);
    double bound = SAME_PART * match->mean;
    struct verdict verdict = {.difference = one->mean - match->mean, .finding = UNSURE};
    double size = fabs(verdict.difference);
    verdict.t = verdict.difference / error;
    verdict.detectable = (Z_ERROR + Z_POWER) * error;
    if (size + Z_ERROR * error < bound)
        verdict.finding = EQUAL;
    else if (size - Z_ERROR * error > bound)
        verdict.finding = DIFFERS;
    return verdict;
}

static int report(const struct samples *samples, bool always_good)
{
    enum finding worst = EQUAL;
    printf("%-9s %9s %9s %11s %8s %12s\n", "kind", "samples", "ns", "difference", "t",
           "detectable");
    for (int kind = 0; kind < MALFORMED; kind++) {
        if (kind == MATCH) {
            printf("%-9s %9zu %9.1f\n", kind_names[kind], samples[kind].count, samples[kind].mean);
            continue;
        }
        struct verdict verdict = compare(&samples[kind], &samples[MATCH]);
        printf("%-9s %9zu %9.1f %11.2f %8.2f %12.2f  %s\n", kind_names[kind], samples[kind].count,
               samples[kind].mean, verdict.difference, verdict.t, verdict.detectable,
               finding_names[verdict.finding]);
        enum finding bad = verdict.finding;
        if (kind == CONTROL)
            bad = verdict.finding == DIFFERS ? EQUAL : UNSURE;
        worst = bad > worst ? bad : worst;
    }
    if (always_good || worst == EQUAL)
        return 0;
    return worst == DIFFERS ? 1 : 3;
}

/* On one processor: another may be faster, or further from the memory. */
static void stay_here(void)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    int processor = sched_getcpu();
    if (processor < 0)
        return;
    CPU_SET((size_t)processor, &here);
    (void)sched_setaffinity(0, sizeof here, &here);
}

static int measure(struct bench *bench, size_t wanted, bool always_good)
{
    struct samples samples[KINDS];
    stay_here();
    memset(samples, 0, sizeof samples);
    for (int kind = 0; kind < KINDS; kind++) {
        samples[kind].ns = calloc(wanted, sizeof(double));
        must(samples[kind].ns != NULL, "no memory");
    }
    for (size_t i = 0; i < wanted; i++) {
        enum kind order[MALFORMED];
        for (unsigned at = 0; at < MALFORMED; at++) {
            unsigned other = draw_below(at + 1);
            order[at] = order[other];
            order[other] = (enum kind)at;
        }
        for (unsigned at = 0; at < MALFORMED; at++)
            take_sample(bench, order[at], &samples[order[at]]);
    }
    for (int kind = 0; kind < MALFORMED; kind++)
        summarise(&samples[kind]);
    int code = report(samples, always_good);
    for (int kind = 0; kind < KINDS; kind++)
        free(samples[kind].ns);
    return code;
}

static int run(struct bench *bench, int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "count") == 0)
        return count(bench, argv[2], argv[3]);
    must(argc >= 2 && argc <= 4 && strcmp(argv[1], "measure") == 0,
         "usage: breakglass_timing count KIND TIMES | measure [SAMPLES] [--report]");
    bool always_good = strcmp(argv[argc - 1], "--report") == 0;
    const char *number = argc - always_good > 2 ? argv[2] : NULL;
    unsigned long samples = number != NULL ? strtoul(number, NULL, 10) : SAMPLES_DEFAULT;
    must(samples >= 20 && samples <= SAMPLES_LIMIT, "SAMPLES is not between 20 and 10,000,000");
    return measure(bench, samples, always_good);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    open_bench(&bench);
    int code = run(&bench, argc, argv);
    close_bench(&bench);
    return code;
}
