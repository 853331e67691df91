/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "message.h"

#include <jtiguard/version.h>
#include <stdio.h>

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    (void)operands;
    if (operand_count > 0) {
        complain("version: takes no operand");
        return EXIT_USAGE;
    }
    const char *start = settings->json ? "{\"version\":\"" : "jtiguard ";
    const char *end = settings->json ? "\"}" : "";
    return printf("%s%s%s\n", start, jtg_version(), end) > 0 ? EXIT_ADMITTED : EXIT_TROUBLE;
}

const struct command version_command = {"version",
                                        COMMAND_VERSION,
                                        "",
                                        "print the version",
                                        "Prints the version of the tool and its library.\n",
                                        "  jtiguard version\n"
                                        "  jtiguard version --json\n",
                                        run};
