/* SPDX-License-Identifier: Apache-2.0 */
#include "breakglass_audit.h"

#include "message.h"
#include "moment.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code breakglass_audit_open(struct breakglass_audit *audit, const char *path,
                                     const char *name)
{
    *audit = (struct breakglass_audit){.descriptor = STDERR_FILENO, .name = name};
    if (path == NULL)
        return EXIT_ADMITTED;
    /* Not to wait for the reader of a pipe. */
    audit->descriptor = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    if (audit->descriptor >= 0)
        return EXIT_ADMITTED;
    complain("breakglass: --audit: cannot open it: %s", strerror(errno));
    return EXIT_TROUBLE;
}

void breakglass_audit_close(struct breakglass_audit *audit)
{
    if (audit->descriptor > STDERR_FILENO && close(audit->descriptor) != 0)
        audit->failed = true;
    audit->descriptor = STDERR_FILENO;
}

/* One write, so that the lines of several processes do not mix. */
static bool write_line(int descriptor, const json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    size_t len = text != NULL ? strlen(text) : 0;
    if (text != NULL)
        text[len] = '\n'; /* in place of its NUL */
    bool good = text != NULL && write(descriptor, text, len + 1) == (ssize_t)len + 1;
    free(text);
    return good;
}

void breakglass_audit_write(void *context, const jtg_breakglass_audit *entry)
{
    struct breakglass_audit *audit = context;
    char time[MOMENT_TEXT_BYTES];
    moment_to_exact_text(entry->time_ms, time);
    json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "time", time, "event",
                             jtg_breakglass_event_name(entry->event), "outcome",
                             jtg_breakglass_outcome_name(entry->outcome), "status",
                             jtg_status_name(entry->status), "name", audit->name, "uid",
                             (int)getuid(), "pid", (int)getpid());
    if (line == NULL || !write_line(audit->descriptor, line))
        audit->failed = true;
    json_decref(line);
}
