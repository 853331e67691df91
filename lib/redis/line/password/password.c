/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/password/password.h"

#include "core/alloc.h"
#include "core/log.h"
#include "redis/line/password/password_file.h"

#include <jtiguard/status.h>
#include <string.h>

jtg_status jtgi_password_init(struct jtgi_password *password, const char *given, const char *path,
                              const char *what, jtg_error *err)
{
    memset(password, 0, sizeof *password);
    password->given = given;
    password->path = path;
    password->what = what;
    (void)pthread_mutex_init(&password->lock, NULL);
    return path == NULL ? JTG_OK : jtgi_password_file_read(path, what, false, &password->read, err);
}

void jtgi_password_free(char *copy)
{
    if (copy != NULL)
        jtgi_free_wiped(copy, strlen(copy) + 1);
}

void jtgi_password_clear(struct jtgi_password *password)
{
    jtgi_password_free(password->read);
    password->read = NULL;
}

bool jtgi_password_is_set(const struct jtgi_password *password)
{
    return password->given != NULL || password->path != NULL;
}

/* True when that is news. */
static bool note_stale(struct jtgi_password *password, bool stale)
{
    pthread_mutex_lock(&password->lock);
    bool news = password->stale != stale;
    password->stale = stale;
    pthread_mutex_unlock(&password->lock);
    return news;
}

static void keep(struct jtgi_password *password, char *text)
{
    pthread_mutex_lock(&password->lock);
    char *before = password->read;
    password->read = text;
    pthread_mutex_unlock(&password->lock);
    jtgi_password_free(before);
}

static jtg_status copy_read(struct jtgi_password *password, char **copy)
{
    pthread_mutex_lock(&password->lock);
    *copy = jtgi_strdup(password->read);
    pthread_mutex_unlock(&password->lock);
    return *copy == NULL ? JTG_ERR_MEMORY : JTG_OK;
}

/* Without news, and without memory, what was read last stays. */
static void read_anew(struct jtgi_password *password, const jtg_logger *logger)
{
    jtg_error why = JTG_ERROR_INIT;
    char *text = NULL;
    jtg_status status = jtgi_password_file_read(password->path, password->what, true, &text, &why);
    if (status == JTG_ERR_MEMORY)
        return;
    if (text != NULL)
        keep(password, text);
    if (!note_stale(password, status != JTG_OK))
        return;
    if (status != JTG_OK)
        jtgi_log(logger, JTG_LOG_ERROR, "%s: the password that it held before is used", why.text);
    else
        jtgi_log(logger, JTG_LOG_INFO, "redis: %s is read again", password->what);
}

jtg_status jtgi_password_copy(struct jtgi_password *password, const jtg_logger *logger, char **copy,
                              jtg_error *err)
{
    jtg_status status = JTG_OK;
    *copy = NULL;
    if (password->path != NULL) {
        read_anew(password, logger);
        status = copy_read(password, copy);
    } else if (password->given != NULL) {
        *copy = jtgi_strdup(password->given);
        status = *copy == NULL ? JTG_ERR_MEMORY : JTG_OK;
    }
    return status == JTG_OK ? JTG_OK : jtg_error_set(err, status, 0, "no memory to log in");
}

void jtgi_password_explain(struct jtgi_password *password, jtg_error *err)
{
    if (err == NULL)
        return;
    const jtg_error plain = *err;
    pthread_mutex_lock(&password->lock);
    bool stale = password->stale;
    pthread_mutex_unlock(&password->lock);
    if (!stale)
        return;
    err->text[0] = '\0';
    (void)jtg_error_set(err, plain.status, plain.system_errno,
                        "%s (%s cannot be read, and the password that it held before was used)",
                        plain.text, password->what);
}
