/* SPDX-License-Identifier: Apache-2.0 */
/* examples/cron/spool.sh: runs that overlap, some of them killed; each order is carried out once.
 */
#include "cli/run_tool.h"
#include "recipes/place.h"
#include "serve/signer.h"
#include "serve/snippet.h"
#include "support/asserts.h"
#include "support/random.h"
#include "support/text_file.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 8, ROUNDS = 4, ORDERS = 8 };

static struct place place;
static struct process runs[RUNS];

/* Eight runs at once. What one carries out it writes down, and keeps the order for all. */
static void begin(void)
{
    char *store = text_of("JTIGUARD_STORE=%s", place.store);
    char *path = text_of("PATH=%.*s:/usr/bin:/bin", (int)(strrchr(tool_path(), '/') - tool_path()),
                         tool_path());
    char *done = text_of("printf '%%s\\n' \"${1##*/}\" >>%s/done; exit 1", place.folder);
    char *orders = text_of("%s/orders", place.folder);
    static const char script[] = EXAMPLES "/cron/spool.sh";
    const char *const words[] = {"/usr/bin/setsid",
                                 "/usr/bin/env",
                                 store,
                                 path,
                                 script,
                                 orders,
                                 "sh",
                                 "-c",
                                 done,
                                 "sh",
                                 NULL};
    for (unsigned i = 0; i < RUNS; i++)
        process_start(&runs[i], place.log_path, words);
    free(orders);
    free(done);
    free(path);
    free(store);
}

static bool have_ended(void *nothing)
{
    (void)nothing;
    for (unsigned i = 0; i < RUNS; i++)
        if (process_lives(&runs[i]))
            return false;
    return true;
}

static bool something_is_done(void *nothing)
{
    struct stat status;
    (void)nothing;
    return stat(place_path(&place, "done"), &status) == 0;
}

static void write_orders(void)
{
    long now = (long)time(NULL);
    assert_int_equal(mkdir(place_path(&place, "orders"), 0700), 0);
    for (unsigned i = 0; i < ORDERS; i++) {
        char *name = text_of("orders/%u.json", i);
        char *claims = text_of("{\"iss\": \"https://shop.example\", \"jti\": \"order-%u\", "
                               "\"iat\": %ld, \"exp\": %ld}\n",
                               i, now, now + 600);
        file_write(place_path(&place, name), claims);
        free(claims);
        free(name);
    }
}

static size_t times_done(const char *done, unsigned order)
{
    char line[32];
    (void)snprintf(line, sizeof line, "%u.json\n", order);
    return occurrences(done, line);
}

/* In the second round one run is killed with all that it started, while it works. */
static unsigned run_all(struct random_source *random)
{
    unsigned kills = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct process *victim = &runs[random_below(random, RUNS)];
        begin();
        if (round < ROUNDS / 2 && (round > 0 || wait_until(something_is_done, NULL)) &&
            process_lives(victim))
            kills += kill(-victim->pid, SIGKILL) == 0 ? 1 : 0;
        assert_true(wait_until(have_ended, NULL));
    }
    return kills;
}

static void each_order_is_carried_out_once(void **state)
{
    uint64_t seed = random_seed();
    struct random_source random;
    size_t all = 0;
    (void)state;
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    random_init(&random, seed);
    place_init(&place);
    write_orders();
    unsigned kills = run_all(&random);
    char *done = text_file_read(place_path(&place, "done"));
    for (unsigned i = 0; i < ORDERS; i++) {
        size_t times = times_done(done, i);
        all += times;
        if (times > 1)
            place_fail(&place, "an order was carried out twice");
    }
    /* Who was killed may have used up one of them, and left it. */
    assert_in_range(all, ORDERS - kills, ORDERS);
    print_message("cron: %d orders, %d runs, %u killed, %zu carried out, 0 twice\n", ORDERS,
                  RUNS * ROUNDS, kills, all);
    free(done);
    place_end(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_order_is_carried_out_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
