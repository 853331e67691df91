/* SPDX-License-Identifier: Apache-2.0 */
#include "recipes/place.h"

#include "support/asserts.h"
#include "support/text_file.h"

#include <ftw.h>
#include <jtiguard/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TREE_DESCRIPTORS = 8, LOG_BYTES = 2000, MAX_ENTRIES = 20000 };

/* What an operator does who has just made a store. */
static void make_store(const char *path, const char *group)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    options.path = path;
    options.max_entries = MAX_ENTRIES;
    options.group = group;
    if (jtg_host_new(&cache, &options, &err) != JTG_OK || jtg_host_vouch(cache, 0, &err) != JTG_OK)
        fail_msg("%s: %s", path, err.text);
    jtg_cache_free(cache);
}

void place_init_for(struct place *place, const char *group)
{
    memset(place, 0, sizeof *place);
    (void)snprintf(place->folder, sizeof place->folder, "/dev/shm/jtiguard-recipe.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(chmod(place->folder, 0755), 0);
    assert_int_equal(mkdir(place_path(place, "host"), 0755), 0);
    (void)snprintf(place->log_path, sizeof place->log_path, "%s/log", place->folder);
    (void)snprintf(place->store, sizeof place->store, "host:%s/host/store", place->folder);
    make_store(place->store + strlen("host:"), group);
}

void place_init(struct place *place)
{
    place_init_for(place, NULL);
}

static int remove_it(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

void place_end(struct place *place)
{
    (void)nftw(place->folder, remove_it, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

const char *place_path(const struct place *place, const char *name)
{
    static char paths[2][128];
    static unsigned next;
    char *path = paths[next++ % 2];
    (void)snprintf(path, sizeof paths[0], "%s/%s", place->folder, name);
    return path;
}

void place_fail(const struct place *place, const char *what)
{
    char *log = text_file_read(place->log_path);
    size_t len = strlen(log);
    fail_msg("%s; the log ends with:\n%s", what, len > LOG_BYTES ? log + len - LOG_BYTES : log);
    abort();
}
