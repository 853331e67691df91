/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/service_log.h"

#include "monotonic.h"
#include "serve/answer/repeats.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LINES = 512,
    LINE_BYTES = 1024, /* below PIPE_BUF: a pipe takes a line whole or not at all */
    FLUSH_NS = 1000000000,
    POLL_MS = 100
};

struct line {
    size_t len;
    char text[LINE_BYTES];
};

struct service_log {
    int fd;
    pthread_t thread;
    pthread_mutex_t lock; /* what stands below */
    pthread_cond_t filled;
    struct log_rules rules;
    int64_t second; /* the one whose refusals are counted */
    uint32_t in_second;
    uint64_t told_suppressed;
    struct repeats repeats; /* of the library */
    struct log_losses losses;
    bool ending;
    int64_t give_up_ns;
    size_t first;
    size_t count;
    struct line lines[LINES];
};

/* ---- one line ---- */

struct writer {
    char *text;
    size_t len;
    size_t room; /* without the line end */
};

static void put_char(struct writer *writer, char c)
{
    if (writer->len < writer->room)
        writer->text[writer->len++] = c;
}

static void put_text(struct writer *writer, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(writer, *text);
}

/* No quote, no line end and no escape of a terminal gets through, in either form. */
static void put_quoted(struct writer *writer, const char *text)
{
    put_char(writer, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            put_char(writer, '\\');
        put_char(writer, (char)(c < 0x20 || c >= 0x7f ? '?' : c));
    }
    put_char(writer, '"');
}

static void put_time(struct writer *writer)
{
    struct timespec now;
    struct tm tm;
    char text[40];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + len, sizeof text - len, ".%03ldZ", now.tv_nsec / 1000000);
    put_text(writer, text);
}

static const char *level_name(jtg_log_level level)
{
    switch (level) {
    case JTG_LOG_ERROR:
        return "error";
    case JTG_LOG_WARNING:
        return "warning";
    case JTG_LOG_INFO:
        return "info";
    case JTG_LOG_DEBUG:
        break;
    }
    return "debug";
}

static void put_json(struct writer *writer, jtg_log_level level, const char *event,
                     const struct log_field *fields)
{
    put_text(writer, "{\"time\":\"");
    put_time(writer);
    put_text(writer, "\",\"level\":\"");
    put_text(writer, level_name(level));
    put_text(writer, "\",\"event\":");
    put_quoted(writer, event);
    for (; fields->name != NULL; fields++) {
        if (fields->value == NULL)
            continue;
        put_char(writer, ',');
        put_quoted(writer, fields->name);
        put_char(writer, ':');
        put_quoted(writer, fields->value);
    }
    put_char(writer, '}');
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || strchr("=\"\\", *text) != NULL)
            return true;
    return false;
}

static void put_plain(struct writer *writer, jtg_log_level level, const char *event,
                      const struct log_field *fields)
{
    put_time(writer);
    put_char(writer, ' ');
    put_text(writer, level_name(level));
    put_char(writer, ' ');
    put_text(writer, event);
    for (; fields->name != NULL; fields++) {
        if (fields->value == NULL)
            continue;
        put_char(writer, ' ');
        put_text(writer, fields->name);
        put_char(writer, '=');
        if (needs_quotes(fields->value)) {
            put_quoted(writer, fields->value);
            continue;
        }
        put_text(writer, fields->value);
    }
}

/* ---- the queue ---- */

/* _locked: under the log's lock. */
static void add_locked(struct service_log *log, jtg_log_level level, const char *event,
                       const struct log_field *fields)
{
    if (level > log->rules.level)
        return;
    if (log->count == LINES) {
        log->losses.dropped++;
        return;
    }
    struct line *line = &log->lines[(log->first + log->count) % LINES];
    struct writer writer = {line->text, 0, LINE_BYTES - 1};
    (log->rules.json ? put_json : put_plain)(&writer, level, event, fields);
    line->text[writer.len] = '\n';
    line->len = writer.len + 1;
    log->count++;
    (void)pthread_cond_signal(&log->filled);
}

/* A stalled reader must not hold up the end of the process. */
static bool wait_writable(struct service_log *log)
{
    for (;;) {
        struct pollfd waiting = {log->fd, POLLOUT, 0};
        int ready = poll(&waiting, 1, POLL_MS);
        if (ready > 0)
            return (waiting.revents & POLLOUT) != 0;
        if (ready < 0 && errno != EINTR)
            return false;
        (void)pthread_mutex_lock(&log->lock);
        bool late = log->ending && monotonic_ns() > log->give_up_ns;
        (void)pthread_mutex_unlock(&log->lock);
        if (late)
            return false;
    }
}

static bool write_line(struct service_log *log, const struct line *line)
{
    size_t done = 0;
    while (done < line->len) {
        if (!wait_writable(log))
            return false;
        ssize_t wrote = write(log->fd, line->text + done, line->len - done);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

static void *write_lines(void *context)
{
    struct service_log *log = context;
    struct line line;
    (void)pthread_mutex_lock(&log->lock);
    for (;;) {
        while (log->count == 0 && !log->ending)
            (void)pthread_cond_wait(&log->filled, &log->lock);
        if (log->count == 0)
            break;
        line = log->lines[log->first];
        log->first = (log->first + 1) % LINES;
        log->count--;
        (void)pthread_mutex_unlock(&log->lock);
        bool written = write_line(log, &line);
        (void)pthread_mutex_lock(&log->lock);
        if (!written)
            log->losses.dropped++;
        if (log->ending && monotonic_ns() > log->give_up_ns)
            break;
    }
    (void)pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* ---- from outside ---- */

struct service_log *service_log_new(int fd, const struct log_rules *rules)
{
    struct service_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    log->fd = fd;
    log->rules = *rules;
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_cond_init(&log->filled, NULL);
    if (pthread_create(&log->thread, NULL, write_lines, log) == 0)
        return log;
    (void)pthread_cond_destroy(&log->filled);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
    return NULL;
}

void service_log_free(struct service_log *log)
{
    if (log == NULL)
        return;
    (void)pthread_mutex_lock(&log->lock);
    log->ending = true;
    log->give_up_ns = monotonic_ns() + FLUSH_NS;
    (void)pthread_cond_signal(&log->filled);
    (void)pthread_mutex_unlock(&log->lock);
    (void)pthread_join(log->thread, NULL);
    (void)pthread_cond_destroy(&log->filled);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}

void service_log_set_rules(struct service_log *log, const struct log_rules *rules)
{
    (void)pthread_mutex_lock(&log->lock);
    log->rules = *rules;
    (void)pthread_mutex_unlock(&log->lock);
}

void service_log_event(struct service_log *log, jtg_log_level level, const char *event,
                       const struct log_field *fields)
{
    (void)pthread_mutex_lock(&log->lock);
    add_locked(log, level, event, fields);
    (void)pthread_mutex_unlock(&log->lock);
}

static void tell_suppressed_locked(struct service_log *log)
{
    char count[32];
    uint64_t fresh = log->losses.suppressed - log->told_suppressed;
    const struct log_field fields[] = {{"count", count}, {NULL, NULL}};
    if (fresh == 0)
        return;
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)fresh);
    log->told_suppressed = log->losses.suppressed;
    add_locked(log, JTG_LOG_INFO, "refusals_not_logged", fields);
}

void service_log_refusal(struct service_log *log, const char *event, const struct log_field *fields)
{
    int64_t second = monotonic_ns() / 1000000000;
    (void)pthread_mutex_lock(&log->lock);
    if (second != log->second) {
        log->second = second;
        log->in_second = 0;
        tell_suppressed_locked(log);
    }
    if (log->in_second < log->rules.rate) {
        log->in_second++;
        add_locked(log, JTG_LOG_INFO, event, fields);
    } else {
        log->losses.suppressed++;
    }
    (void)pthread_mutex_unlock(&log->lock);
}

void service_log_text(struct service_log *log, jtg_log_level level, const char *event,
                      const char *text)
{
    const struct log_field fields[] = {{"text", text}, {NULL, NULL}};
    service_log_event(log, level, event, fields);
}

/* A warning or an error that is said again at once has no news. */
static void write_message(void *context, jtg_log_level level, const char *line)
{
    struct service_log *log = context;
    char count[32];
    uint64_t left_out = 0;
    (void)pthread_mutex_lock(&log->lock);
    if (level > JTG_LOG_WARNING || repeats_say(&log->repeats, line, monotonic_ns(), &left_out)) {
        (void)snprintf(count, sizeof count, "%llu", (unsigned long long)left_out);
        const struct log_field fields[] = {
            {"text", line}, {"left_out", left_out > 0 ? count : NULL}, {NULL, NULL}};
        add_locked(log, level, "library", fields);
    }
    (void)pthread_mutex_unlock(&log->lock);
}

jtg_logger service_log_as_logger(struct service_log *log)
{
    return (jtg_logger){sizeof(jtg_logger), log, JTG_LOG_DEBUG, write_message};
}

struct log_losses service_log_losses(struct service_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    struct log_losses losses = log->losses;
    (void)pthread_mutex_unlock(&log->lock);
    return losses;
}
