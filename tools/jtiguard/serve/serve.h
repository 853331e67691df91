/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `serve` and `config`. argv[0] is the command's name. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "exit_code.h"

enum exit_code serve_main(int argc, char **argv);
enum exit_code config_main(int argc, char **argv);

#endif
