/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"

#include <stdio.h>

bool bench_arguments_complain(const char *name, const char *option, const char *range)
{
    fprintf(stderr, "jtiguard bench %s: %s takes %s\n", name, option, range);
    return false;
}

bool bench_arguments_walk(int argc, char **argv, const struct option *names, bench_take take,
                          void *options)
{
    const char *name = argv[0];
    char shown[64];
    (void)snprintf(shown, sizeof shown, "jtiguard bench %s", name);
    argv[0] = shown; /* getopt's messages open with it */

    bool good = true;
    optind = 0; /* the tool may have used getopt before */
    for (int letter = 0; good && (letter = getopt_long(argc, argv, "h", names, NULL)) != -1;)
        good = letter != '?' && take(options, letter, name); /* of '?' getopt has said why */
    argv[0] = NULL;
    if (good && optind < argc) {
        fprintf(stderr, "%s: '%s' is not expected\n", shown, argv[optind]);
        good = false;
    }
    return good;
}
