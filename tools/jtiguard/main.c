/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "help.h"
#include "message.h"
#include "options.h"
#include "store.h"

#ifdef JTIGUARD_HAS_BENCH
#include "bench/bench.h"
#endif

#ifdef JTIGUARD_HAS_SERVE
#include "serve/serve.h"
#endif

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { OUTPUT_BUFFER_BYTES = 1 << 16 };

static const struct command *const commands[] = {
    &check_command,      &reserve_command,     &release_command, &key_command,
    &doctor_command,     &acl_command,         &vouch_command,   &host_command,
    &breakglass_command, &ticket_keys_command, &version_command, NULL};

static const struct command *find_command(const char *name)
{
    for (const struct command *const *at = commands; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

static enum exit_code refuse_command(void)
{
    complain("no such command; see 'jtiguard --help'");
    return EXIT_USAGE;
}

/* A command that takes no store must not fail for the one in the environment. */
static enum exit_code run_settled(const struct command *command, struct settings *settings,
                                  int operand_count, char **operands)
{
    enum exit_code code = EXIT_ADMITTED;
    if (command->bit != COMMAND_VERSION)
        code = store_settle(settings);
    if (code == EXIT_ADMITTED)
        code = command->run(settings, operand_count, operands);
    store_forget(settings);
    return code;
}

/* What reserves outside of an audit has to be remembered for all processes; what looks at a store,
 * or says something of it, has to mean that one. */
static enum store_default store_default_of(const struct command *command)
{
    if ((command->bit & (COMMAND_RESERVE | COMMAND_RELEASE | COMMAND_DOCTOR)) != 0)
        return STORE_DEFAULT_EITHER;
    return (command->bit & (COMMAND_VOUCH | COMMAND_HOST)) != 0 ? STORE_DEFAULT_HOST
                                                                : STORE_DEFAULT_MEMORY;
}

static enum exit_code run_command(const struct command *command, int argc, char **argv)
{
    struct settings settings;
    int first_operand = argc;
    settings_init(&settings);
    settings.store_default = store_default_of(command);
    switch (options_read(command, argc, argv, &settings, &first_operand)) {
    case OPTIONS_HELP:
        help_print_command(command, stdout);
        /* Beside anything else it came from a text that a script forgot to quote: nothing was
         * admitted. */
        return argc == 2 ? EXIT_ADMITTED : EXIT_USAGE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_READ:
        break;
    }
    const char *conflict = settings_conflict(&settings);
    if (conflict != NULL) {
        complain("%s: %s", command->name, conflict);
        return EXIT_USAGE;
    }
    return run_settled(command, &settings, argc - first_operand, argv + first_operand);
}

static enum exit_code help(int argc, char **argv)
{
    if (argc < 2) {
        help_print_all(commands, stdout);
        return EXIT_ADMITTED;
    }
    const struct command *command = argc == 2 ? find_command(argv[1]) : NULL;
    if (command == NULL)
        return refuse_command();
    help_print_command(command, stdout);
    return EXIT_ADMITTED;
}

/* Those with settings of their own. */
static bool is_of_service(const char *name)
{
    return strcmp(name, "serve") == 0 || strcmp(name, "config") == 0;
}

static enum exit_code run_of_service(int argc, char **argv)
{
#ifdef JTIGUARD_HAS_SERVE
    return strcmp(argv[0], "serve") == 0 ? serve_main(argc, argv) : config_main(argc, argv);
#else
    (void)argc;
    complain("%s: this build was made without the service (JTIGUARD_SERVE=OFF)", argv[0]);
    return EXIT_USAGE;
#endif
}

static bool is_one_of(const char *text, const char *one, const char *other, const char *third)
{
    return strcmp(text, one) == 0 || strcmp(text, other) == 0 || strcmp(text, third) == 0;
}

static enum exit_code dispatch(int argc, char **argv)
{
    if (argc < 2) {
        help_print_all(commands, stderr);
        return EXIT_USAGE;
    }
    if (is_one_of(argv[1], "help", "--help", "-h"))
        return help(argc - 1, argv + 1);
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
#ifdef JTIGUARD_HAS_BENCH
    if (strcmp(name, "bench") == 0)
        return (enum exit_code)jtiguard_bench_main(argc - 1, argv + 1);
#endif
    if (is_of_service(name))
        return run_of_service(argc - 1, argv + 1);
    const struct command *command = find_command(name);
    return command != NULL ? run_command(command, argc - 1, argv + 1) : refuse_command();
}

/* An answer that did not get out was not given. */
static enum exit_code close_output(enum exit_code code)
{
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) == 0 && !failed)
        return code;
    if (code != EXIT_TROUBLE)
        complain("cannot write: %s", strerror(errno));
    return EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
    static char buffer[OUTPUT_BUFFER_BYTES];
    (void)setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    /* A reader that went away shows as a write error, which is reported. */
    (void)signal(SIGPIPE, SIG_IGN);
    json_object_seed(0);
    return (int)close_output(dispatch(argc, argv));
}
