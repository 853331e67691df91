/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "samples.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plain decimal number within a range, up to a given end. Anything else is an error: what
 * strtoull takes beyond that (signs, spaces) would hide a slip. */
static bool parse_number(const char *text, char end, uint64_t min, uint64_t max, uint64_t *number,
                         const char **rest)
{
    if (*text < '0' || *text > '9')
        return false;
    char *stop = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &stop, 10);
    if (errno != 0 || value < min || value > max || (*stop != '\0' && *stop != end))
        return false;
    *number = value;
    *rest = stop;
    return true;
}

static bool parse_single(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    const char *rest = text;
    return parse_number(text, '\0', min, max, number, &rest);
}

static bool parse_threads(struct bench_options *options, const char *text)
{
    options->thread_counts = 0;
    for (;;) {
        uint64_t number = 0;
        if (options->thread_counts == BENCH_THREAD_COUNTS_MAX ||
            !parse_number(text, ',', 1, BENCH_THREADS_MAX, &number, &text))
            return false;
        options->threads[options->thread_counts++] = (unsigned)number;
        if (*text == '\0')
            return true;
        text++;
    }
}

static void set_defaults(struct bench_options *options)
{
    memset(options, 0, sizeof *options);
    options->entries = BENCH_ENTRIES_DEFAULT;
    options->threads[0] = 1;
    options->threads[1] = 2;
    options->thread_counts = 2;
    options->runs = BENCH_RUNS_DEFAULT;
}

static bool complain(const char *name, const char *option, const char *range)
{
    fprintf(stderr, "jtiguard bench %s: %s takes %s\n", name, option, range);
    return false;
}

static bool take(struct bench_options *options, int letter, const char *name)
{
    uint64_t number = 0;
    switch (letter) {
    case 'e':
        if (!parse_single(optarg, BENCH_ENTRIES_MIN, BENCH_ENTRIES_MAX, &options->entries))
            return complain(name, "--entries", "a number from 1000 to 400000000");
        return true;
    case 't':
        return parse_threads(options, optarg) ||
               complain(name, "--threads", "up to 16 numbers from 1 to 64, such as 1,2");
    case 'r':
        if (!parse_single(optarg, 1, BENCH_RUNS_MAX, &number))
            return complain(name, "--runs", "a number from 1 to 99");
        options->runs = (unsigned)number;
        return true;
    case 'j':
        return options->json = true;
    case 'h':
        return options->help = true;
    default: /* getopt has said what is wrong */
        return false;
    }
}

bool bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"entries", required_argument, NULL, 'e'}, {"threads", required_argument, NULL, 't'},
        {"runs", required_argument, NULL, 'r'},    {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    const char *name = argv[0];
    char shown[64];
    (void)snprintf(shown, sizeof shown, "jtiguard bench %s", name);
    argv[0] = shown; /* getopt's messages open with it */
    set_defaults(options);

    bool good = true;
    optind = 0; /* the tool may have used getopt before */
    for (int letter = 0; good && (letter = getopt_long(argc, argv, "h", names, NULL)) != -1;)
        good = take(options, letter, name);
    argv[0] = NULL;
    if (good && optind < argc) {
        fprintf(stderr, "%s: '%s' is not expected\n", shown, argv[optind]);
        good = false;
    }
    return good;
}
