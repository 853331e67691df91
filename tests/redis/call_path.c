/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts/frames looks at: call_path URI frames admits one token, on a connection that stands;
 * call_path URI locks says how often a lone caller locks for one reservation. No test; built by
 * that script alone, also with the library of an older tree, so it uses nothing that is new. */
#include <dlfcn.h>
#include <jtiguard/jtiguard.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void call_path_begin(void);

/* gdb stops here. A stop takes long, so nothing is counted behind it. */
static volatile int stops;

void call_path_begin(void)
{
    stops++;
}

/* In the place of the C library's, for all of this program. */
static unsigned locks;

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*theirs)(pthread_mutex_t *);
    locks++;
    if (theirs == NULL) {
        void *found = dlsym(RTLD_NEXT, "pthread_mutex_lock");
        memcpy(&theirs, &found, sizeof theirs);
    }
    return theirs(mutex);
}

static bool admit(jtg_guard *guard, const char *jti)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = jtg_text_of("https://id.example.com");
    claims.audience = jtg_text_of("timesheets");
    claims.jti = jtg_text_of(jti);
    claims.iat_ms = now_ms - 1000;
    claims.exp_ms = now_ms + 300000;
    return jtg_guard_admit(guard, &claims, NULL, NULL);
}

static jtg_status reserve(jtg_cache *cache, const char *name)
{
    static const jtg_owner owner = {{1}};
    jtg_key key = {0};
    key.data = name;
    key.data_len = strlen(name);
    return jtg_cache_reserve(cache, &key, &owner, 300000, NULL);
}

static unsigned locks_of_one(jtg_cache *cache)
{
    static unsigned number;
    char name[32];
    (void)snprintf(name, sizeof name, "key %u", number++);
    locks = 0;
    return reserve(cache, name) == JTG_OK ? locks : 0;
}

/* A connection that was used a moment ago is used again unseen: the fewest of many in a row, for
 * the machine may have paused in between. After a pause it is looked at. */
static bool count_locks(jtg_cache *cache)
{
    const struct timespec pause = {0, 20000000};
    unsigned in_a_row = locks_of_one(cache);
    for (int i = 0; i < 1000; i++) {
        unsigned count = locks_of_one(cache);
        if (count < in_a_row)
            in_a_row = count;
    }
    (void)nanosleep(&pause, NULL);
    printf("%u in a row, %u after a pause\n", in_a_row, locks_of_one(cache));
    return in_a_row > 0;
}

static bool walk_path(jtg_cache *cache, const char *what, jtg_error *err)
{
    jtg_guard *guard = NULL;
    if (strcmp(what, "locks") == 0)
        return count_locks(cache);
    bool good = jtg_guard_new(&guard, cache, NULL, err) == JTG_OK && admit(guard, "first");
    call_path_begin();
    good = good && admit(guard, "second");
    jtg_guard_free(guard);
    return good;
}

int main(int argc, char **argv)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *cache = NULL;
    bool good = argc == 3 && jtg_redis_new_uri(&cache, argv[1], &err) == JTG_OK &&
                walk_path(cache, argv[2], &err);
    if (!good)
        (void)fprintf(stderr, "call_path: it went another way: %s\n", err.text);
    jtg_cache_free(cache);
    return good ? 0 : 1;
}
