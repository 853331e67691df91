/* SPDX-License-Identifier: Apache-2.0 */
#include "core/loop.h"

#include "support/asserts.h"

#include <jtiguard/memory.h>
#include <stddef.h>

static void an_older_table_offers_none(void **state)
{
    jtg_cache *cache = NULL;
    static const struct jtgi_loop_table offered = {.open = NULL};
    (void)state;
    assert_status(jtg_memory_new(&cache, NULL, NULL), JTG_OK);
    const jtg_backend *real = cache->backend;
    jtg_backend table = *real;
    cache->backend = &table;
    assert_null(jtgi_loop_of(cache)); /* the memory store answers at once */
    table.loop = &offered;
    assert_ptr_equal(jtgi_loop_of(cache), &offered);
    table.struct_size = offsetof(jtg_backend, loop);
    assert_null(jtgi_loop_of(cache));
    cache->backend = real;
    jtg_cache_free(cache);
}

static void each_answer_is_counted_and_is_one(void **state)
{
    jtg_cache *cache = NULL;
    struct jtgi_loop_call call = {.status = JTG_REPLAYED};
    (void)state;
    assert_status(jtg_memory_new(&cache, NULL, NULL), JTG_OK);
    assert_status(jtgi_loop_count(cache, &call), JTG_REPLAYED);
    assert_int_equal(jtg_cache_counter(cache, JTG_OP_RESERVE, JTG_REPLAYED), 1);
    call = (struct jtgi_loop_call){.gives_back = true, .status = JTG_STATUS_COUNT};
    assert_status(jtgi_loop_count(cache, &call), JTG_ERR_PROTOCOL);
    assert_err_tells(&call.err, JTG_ERR_PROTOCOL);
    assert_int_equal(jtg_cache_counter(cache, JTG_OP_RELEASE, JTG_ERR_PROTOCOL), 1);
    jtg_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_table_offers_none),
        cmocka_unit_test(each_answer_is_counted_and_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
