/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the tool. */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include "exit_code.h"
#include "settings.h"

/* One bit a command, to say which options it takes. */
enum command_bit {
    COMMAND_CHECK = 1 << 0,
    COMMAND_RESERVE = 1 << 1,
    COMMAND_RELEASE = 1 << 2,
    COMMAND_KEY = 1 << 3,
    COMMAND_VERSION = 1 << 4,
    COMMAND_DOCTOR = 1 << 5,
    COMMAND_ACL = 1 << 6,
    COMMAND_VOUCH = 1 << 7,
    COMMAND_BREAKGLASS = 1 << 8,
    COMMAND_TICKET_KEYS = 1 << 9,
    COMMAND_HOST = 1 << 10
};

struct command {
    const char *name;
    unsigned bit;
    const char *operands; /* For the usage line, e.g. "[FILE]". */
    const char *summary;  /* One line, for the list of commands. */
    const char *help;     /* What it does and how it ends. */
    const char *examples; /* Two command lines that can be pasted, or more. */
    enum exit_code (*run)(const struct settings *settings, int operand_count, char **operands);
};

extern const struct command check_command;
extern const struct command reserve_command;
extern const struct command release_command;
extern const struct command key_command;
extern const struct command doctor_command;
extern const struct command acl_command;
extern const struct command vouch_command;
extern const struct command host_command;
extern const struct command breakglass_command;
extern const struct command ticket_keys_command;
extern const struct command version_command;

#endif
