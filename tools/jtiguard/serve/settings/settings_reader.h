/* SPDX-License-Identifier: Apache-2.0 */
/* From the sources to settings that go together. */
#ifndef SERVE_SETTINGS_READER_H
#define SERVE_SETTINGS_READER_H

#include "serve/settings/problem.h"
#include "serve/settings/service_settings.h"

/* Everything that the command line, the environment and the file say. argv[0] is the name of the
 * command. Asks no server. On failure *settings needs no clearing. */
struct program {
    int argc;
    char **argv;
    char **environment;
};
enum settings_answer {
    SETTINGS_READ,
    SETTINGS_HELP, /* --help stands on the command line */
    SETTINGS_WRONG
};
enum settings_answer service_settings_read(struct service_settings **settings,
                                           const struct program *program,
                                           struct settings_problem *problem);
void service_settings_free(struct service_settings *settings);

/* What a reload cannot change and that differs; NULL: nothing. */
const char *service_settings_frozen_change(const struct service_settings *old_settings,
                                           const struct service_settings *new_settings);

#endif
