/* SPDX-License-Identifier: Apache-2.0 */
/* getopt_long() takes `--m` for any option that it begins: a script that says so means another one
 * as soon as a version has two. */
#ifndef TOOL_LONG_OPTION_H
#define TOOL_LONG_OPTION_H

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

/* Whether the option that getopt_long() has just found stands in argv with its whole name; *text is
 * how it stands there. */
static inline bool long_option_is_whole(char **argv, const struct option *option, const char **text)
{
    bool value_follows = optarg != NULL && optarg == argv[optind - 1];
    *text = argv[optind - (value_follows ? 2 : 1)];
    size_t len = strlen(option->name);
    return strncmp(*text, "--", 2) == 0 && strncmp(*text + 2, option->name, len) == 0 &&
           ((*text)[2 + len] == '\0' || (*text)[2 + len] == '=');
}

#endif
