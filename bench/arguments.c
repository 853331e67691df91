/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

bool bench_arguments_complain(const char *name, const char *option, const char *range)
{
    fprintf(stderr, "jtiguard bench %s: %s takes %s\n", name, option, range);
    return false;
}

/* getopt takes any beginning of a name. */
static bool is_whole(char **argv, const struct option *option, const char *shown)
{
    bool value_follows = optarg != NULL && optarg == argv[optind - 1];
    const char *text = argv[optind - (value_follows ? 2 : 1)];
    size_t len = strcspn(text, "=");
    if (len == strlen(option->name) + 2 && strncmp(text + 2, option->name, len - 2) == 0)
        return true;
    fprintf(stderr, "%s: '%.*s' is no option; is it --%s?\n", shown, (int)len, text, option->name);
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
    int at = -1;
    for (int letter = 0; good && (letter = getopt_long(argc, argv, "h", names, &at)) != -1; at = -1)
        good = letter != '?' /* of which getopt has said why */ &&
               (at < 0 || is_whole(argv, &names[at], shown)) && take(options, letter, name);
    argv[0] = NULL;
    if (good && optind < argc) {
        fprintf(stderr, "%s: '%s' is not expected\n", shown, argv[optind]);
        good = false;
    }
    return good;
}
