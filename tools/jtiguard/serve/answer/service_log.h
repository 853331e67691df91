/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one event a line, as text or JSON. It never holds a token, a jti, a subject or a
 * secret: an event is a fixed word with fixed fields.
 *
 * Nobody who logs waits for whoever reads: lines go through a bounded queue to a thread of the
 * log. When the reader stalls, lines are dropped and counted; a worker that hung on a full pipe
 * would hang its clients with it. */
#ifndef SERVE_SERVICE_LOG_H
#define SERVE_SERVICE_LOG_H

#include <jtiguard/log.h>
#include <stdbool.h>
#include <stdint.h>

struct service_log;

struct log_rules {
    bool json;
    jtg_log_level level;
    uint32_t rate; /* refusals a second that are logged one by one */
};

/* fd is borrowed. NULL when memory or a thread cannot be had. */
struct service_log *service_log_new(int fd, const struct log_rules *rules);

/* Writes what is queued, for at most a second, and ends. */
void service_log_free(struct service_log *log);

void service_log_set_rules(struct service_log *log, const struct log_rules *rules);

struct log_field {
    const char *name;  /* static */
    const char *value; /* NULL: the field is left out */
};
enum { LOG_FIELDS_MAX = 8 };

/* fields end with a name that is NULL. */
void service_log_event(struct service_log *log, jtg_log_level level, const char *event,
                       const struct log_field *fields);

/* The same for what strangers can cause as often as they like: beyond the rate it is counted, and
 * the count is logged with the next second. */
void service_log_refusal(struct service_log *log, const char *event,
                         const struct log_field *fields);

/* One text, as the event's "text". */
void service_log_text(struct service_log *log, jtg_log_level level, const char *event,
                      const char *text);

/* For the library's own messages. Valid as long as the log. */
jtg_logger service_log_as_logger(struct service_log *log);

/* Lines that were never written: too many refusals, and a reader that stalled. */
struct log_losses {
    uint64_t suppressed;
    uint64_t dropped;
};
struct log_losses service_log_losses(struct service_log *log);

#endif
