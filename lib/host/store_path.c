/* SPDX-License-Identifier: Apache-2.0 */
#include "host/store_path.h"

#include "core/error.h"

#include <errno.h>
#include <jtiguard/host.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

const struct jtgi_store_places jtgi_store_places_system = {"/run", "jtiguard-host", "user"};

static bool is_tmpfs(const char *path)
{
    struct statfs system;
    return statfs(path, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

static void name_hosts(char folder[PATH_MAX], const struct jtgi_store_places *places)
{
    (void)snprintf(folder, PATH_MAX, "%s/%s", places->run, places->folder);
}

bool jtgi_store_path_is_outdated(const struct jtgi_store_places *places)
{
    char folder[PATH_MAX];
    struct stat about;
    name_hosts(folder, places);
    return lstat(folder, &about) == 0 || errno != ENOENT;
}

/* Others may read its name; the store itself is its maker's. */
static bool have_hosts(char folder[PATH_MAX], const struct jtgi_store_places *places, bool may_make)
{
    name_hosts(folder, places);
    if (jtgi_store_path_is_outdated(places) || !may_make)
        return true;
    return is_tmpfs(places->run) &&
           (mkdir(folder, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) == 0 || errno == EEXIST);
}

/* The folder of a session is its user's alone; what another has put there in its place is not. */
static bool have_users(char folder[PATH_MAX], const struct jtgi_store_places *places, uid_t user,
                       bool may_make)
{
    char session[PATH_MAX - 16];
    struct stat about;
    (void)snprintf(session, sizeof session, "%s/%s/%u", places->run, places->users, (unsigned)user);
    (void)snprintf(folder, PATH_MAX, "%s/jtiguard", session);
    return lstat(session, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == user &&
           (about.st_mode & (S_IRWXG | S_IRWXO)) == 0 && is_tmpfs(session) &&
           (!may_make || mkdir(folder, S_IRWXU) == 0 || errno == EEXIST);
}

jtg_status jtgi_store_path_choose(char *path, size_t path_size, bool *is_users_own,
                                  const struct jtgi_store_places *places, uid_t user, bool may_make,
                                  jtg_error *err)
{
    char folder[PATH_MAX];
    *is_users_own = !jtgi_store_path_is_outdated(places) && user != 0;
    if (*is_users_own ? !have_users(folder, places, user, may_make)
                      : !have_hosts(folder, places, may_make))
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "host store: there is no %s/%s, and none can be made; or name a path",
                             places->run, places->folder);
    int length = snprintf(path, path_size, "%s/store", folder);
    return length > 0 && (size_t)length < path_size
               ? JTG_OK
               : jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "host store: the path is too long");
}

jtg_status jtg_host_place(jtg_error *err)
{
    char path[PATH_MAX];
    bool is_users_own = false;
    jtgi_error_begin(err);
    return jtgi_store_path_choose(path, sizeof path, &is_users_own, &jtgi_store_places_system,
                                  geteuid(), true, err);
}
