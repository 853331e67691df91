/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/gated_cache.h"
#include "tokens/common/epoch.h"

#include <jtiguard/memory.h>

static jtg_cache *memory;

static int set_up(void **state)
{
    (void)state;
    assert_status(jtg_memory_new(&memory, NULL, NULL), JTG_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jtg_cache_free(memory);
    return 0;
}

static void a_cache_that_notices_nothing_has_none(void **state)
{
    (void)state;
    int64_t epoch = 0;
    assert_status(jtgi_epoch_read(memory, &epoch, NULL), JTG_OK);
    assert_true(epoch == JTGI_EPOCH_NONE);
    assert_status(jtgi_epoch_check(memory, epoch, NULL), JTG_OK);
    assert_status(jtgi_epoch_check(memory, 7, NULL), JTG_OK);
}

/* Also an earlier one: who vouches for a store changes what it is known to have kept. */
static void another_epoch_is_refused(void **state)
{
    (void)state;
    int64_t epoch = 0;
    jtg_error err = JTG_ERROR_INIT;
    struct gated_cache *gated = gated_cache_new(memory, true);
    jtg_cache *watched = &gated->base;
    assert_status(jtgi_epoch_read(watched, &epoch, NULL), JTG_OK);
    assert_true(epoch != JTGI_EPOCH_NONE);
    assert_status(jtgi_epoch_check(watched, epoch, NULL), JTG_OK);
    assert_status(jtgi_epoch_check(watched, epoch - 1, &err), JTG_ERR_CONTINUITY);
    assert_err_tells(&err, JTG_ERR_CONTINUITY);
    assert_status(jtgi_epoch_check(watched, epoch + 1, NULL), JTG_ERR_CONTINUITY);
    assert_status(jtgi_epoch_check(watched, JTGI_EPOCH_NONE, NULL), JTG_ERR_CONTINUITY);
    jtg_cache_free(watched);
}

/* While a loss is being noticed there is no moment yet; the next loss looks the same. */
static void a_moment_that_is_not_known_is_no_epoch(void **state)
{
    (void)state;
    int64_t epoch = 0;
    struct gated_cache *gated = gated_cache_new(memory, true);
    gated->kept_since_ms = INT64_MAX;
    assert_status(jtgi_epoch_read(&gated->base, &epoch, NULL), JTG_OK);
    assert_status(jtgi_epoch_check(&gated->base, epoch, NULL), JTG_ERR_CONTINUITY);
    jtg_cache_free(&gated->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cache_that_notices_nothing_has_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_epoch_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moment_that_is_not_known_is_no_epoch, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
