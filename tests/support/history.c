/* SPDX-License-Identifier: Apache-2.0 */
#include "support/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct history_record) == 48, "a record has no holes and a fixed size");

static const char magic[8] = {'j', 't', 'g', 'h', 'i', 's', 't', '1'};

uint64_t history_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* A write to a file is whole or has failed, but for a signal before it began. */
static bool append(int descriptor, const void *data, size_t len)
{
    ssize_t written;
    do {
        written = write(descriptor, data, len);
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)len;
}

bool history_create(struct history_file *file, const char *path)
{
    file->descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    return file->descriptor >= 0 && append(file->descriptor, magic, sizeof magic);
}

bool history_append(const struct history_file *file, const struct history_record *record)
{
    return append(file->descriptor, record, sizeof *record);
}

void history_close(struct history_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
}

static bool complain(char *problem, size_t problem_len, const char *path, const char *what)
{
    snprintf(problem, problem_len, "%s: %s", path, what);
    return false;
}

static bool read_records(struct history *history, FILE *file, size_t count)
{
    struct history_record *grown =
        realloc(history->records, (history->count + count + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    history->records = grown;
    if (fread(grown + history->count, sizeof *grown, count, file) != count)
        return false;
    history->count += count;
    return true;
}

bool history_read(struct history *history, const char *path, char *problem, size_t problem_len)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return complain(problem, problem_len, path, strerror(errno));
    struct stat about;
    char start[sizeof magic];
    const char *what = NULL;
    if (fstat(fileno(file), &about) != 0 || fread(start, sizeof start, 1, file) != 1 ||
        memcmp(start, magic, sizeof magic) != 0)
        what = "no history";
    else if (((size_t)about.st_size - sizeof magic) % sizeof(struct history_record) != 0)
        what = "ends inside a record";
    else if (!read_records(history, file,
                           ((size_t)about.st_size - sizeof magic) / sizeof(struct history_record)))
        what = "cannot be read";
    fclose(file);
    return what == NULL || complain(problem, problem_len, path, what);
}

void history_clear(struct history *history)
{
    free(history->records);
    history->records = NULL;
    history->count = 0;
}
