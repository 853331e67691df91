/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "options.h"

static const char intro[] =
    "usage: jtiguard COMMAND [OPTIONS]\n"
    "\n"
    "Stops a token from being used twice: it is admitted at most once.\n"
    "It takes the claims of tokens that you have verified, never the tokens.\n"
    "\n"
    "Commands:\n";

static const char outro[] =
    "\n"
    "'jtiguard COMMAND --help' shows a command's options. TIME is seconds since 1970 or RFC 3339\n"
    "(2026-11-20T12:00:00Z); DURATION is a number and its unit (30s, 5m, 24h, 2d).\n"
    "\n"
    "Exit: 0 admitted or done, 1 the token was used before, 2 wrong usage, 3 the store or a file\n"
    "failed, 4 the token is not acceptable.\n"
    "\n"
    "Examples:\n"
    "  jtiguard reserve --kind id_token --issuer https://id.example.com --audience api \\\n"
    "      --jti 5c3e8f10 --ttl 5m\n"
    "  jtiguard doctor --store redis://cache.example\n";

void help_print_all(const struct command *const *commands, FILE *out)
{
    (void)fputs(intro, out);
    for (; *commands != NULL; commands++)
        (void)fprintf(out, "  %-12s %s\n", (*commands)->name, (*commands)->summary);
    (void)fprintf(out, "  %-12s %s\n", "serve",
                  "guard tokens for proxies and verifiers, over HTTP");
    (void)fprintf(out, "  %-12s %s\n", "config", "check or show the settings of serve");
#ifdef JTIGUARD_HAS_BENCH
    (void)fprintf(out, "  %-12s %s\n", "bench", "measure a store");
#endif
    (void)fprintf(out, "  %-12s %s\n", "help", "show this, or a command's help");
    (void)fputs(outro, out);
}

void help_print_command(const struct command *command, FILE *out)
{
    (void)fprintf(out, "usage: jtiguard %s [OPTIONS]%s%s\n\n%s", command->name,
                  *command->operands != '\0' ? " " : "", command->operands, command->help);
    options_print(command, out);
    (void)fprintf(out, "\nExamples:\n%s", command->examples);
}
