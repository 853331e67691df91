/* SPDX-License-Identifier: Apache-2.0 */
/* Where settings come from: the command line before the environment before the file, under one
 * name: --max-body-bytes, JTIGUARD_MAX_BODY_BYTES, "max_body_bytes". All three are put into one
 * object, so that a value is read in one place wherever it came from. What is not known is
 * refused in each of them: a typo never weakens anything. */
#ifndef SERVE_SERVICE_SOURCES_H
#define SERVE_SERVICE_SOURCES_H

#include "serve/settings/merged.h"
#include "serve/settings/problem.h"

#include <stdbool.h>

enum { SETTINGS_FILE_MAX_BYTES = 1048576, SECRET_FILE_MAX_BYTES = 65536 };

/* Each adds what has precedence over what is there. false: why not. */
bool sources_add_file(struct merged *merged, const char *path, struct settings_problem *problem);
bool sources_add_environment(struct merged *merged, char **environment,
                             struct settings_problem *problem);
/* *help: --help stands there. Operands are refused. */
bool sources_add_flags(struct merged *merged, int argc, char **argv, bool *help,
                       struct settings_problem *problem);

/* The file that flags or environment name with "config"; NULL: none. */
const char *sources_config_file(const struct merged *merged);

/* Put each `x_file` of a secret x in x's place, as what the file holds. */
bool sources_read_secrets(struct merged *merged, struct settings_problem *problem);

#endif
