/* SPDX-License-Identifier: Apache-2.0 */
/* The password of a login: one that was given, or what a file holds. The file is read for each
 * login, for passwords are exchanged, and tokens that stand for one end, while programs run.
 *
 * A file that is missing, empty or unreadable at that moment is one that somebody is writing, more
 * often than a wish to log in without: what it held last is used, and that is logged. */
#ifndef JTGI_REDIS_PASSWORD_H
#define JTGI_REDIS_PASSWORD_H

#include <jtiguard/log.h>
#include <jtiguard/status.h>
#include <pthread.h>
#include <stdbool.h>

struct jtgi_password {
    const char *given; /* borrowed; NULL: none, or in a file */
    const char *path;  /* borrowed; NULL: no file */
    const char *what;  /* the option that names the file */
    pthread_mutex_t lock;
    char *read; /* what the file held last; under the lock, like the next */
    bool stale; /* it could not be read for the last login */
};

/* Read the file, if there is one, so that a wrong name is told at once. given and path are borrowed
 * until jtgi_password_clear(); both NULL: no login.
 *
 * Returns: JTG_OK · as jtgi_password_file_read(); on failure it holds nothing */
jtg_status jtgi_password_init(struct jtgi_password *password, const char *given, const char *path,
                              const char *what, jtg_error *err);
void jtgi_password_clear(struct jtgi_password *password);

bool jtgi_password_is_set(const struct jtgi_password *password);

/* For one login; jtgi_password_free() it. NULL without login.
 *
 * Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_password_copy(struct jtgi_password *password, const jtg_logger *logger, char **copy,
                              jtg_error *err);
void jtgi_password_free(char *copy);

/* A login was refused: add to the text that the file could not be read for it, if that is so. */
void jtgi_password_explain(struct jtgi_password *password, jtg_error *err);

#endif
