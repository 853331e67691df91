/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of the break-glass token: one JSON object a line, to a file or to standard error. */
#ifndef TOOL_BREAKGLASS_AUDIT_H
#define TOOL_BREAKGLASS_AUDIT_H

#include "exit_code.h"

#include <jtiguard/breakglass.h>
#include <stdbool.h>

struct breakglass_audit {
    int descriptor;
    const char *name; /* of the place; borrowed */
    bool failed;      /* a line could not be written */
};

/* path NULL: standard error. A file is made with mode 0600 and appended to. What went wrong is said
 * on stderr. */
enum exit_code breakglass_audit_open(struct breakglass_audit *audit, const char *path,
                                     const char *name);
void breakglass_audit_close(struct breakglass_audit *audit);

/* For jtg_breakglass_options.audit; context is the struct. */
void breakglass_audit_write(void *context, const jtg_breakglass_audit *entry);

#endif
