/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/breakglass/breakglass_options.h"

#include "support/asserts.h"

#include <string.h>

static void the_initialiser_and_the_function_agree(void **state)
{
    jtg_breakglass_options by_macro = JTG_BREAKGLASS_OPTIONS_INIT;
    jtg_breakglass_options by_function;
    (void)state;
    jtg_breakglass_options_init(&by_function);
    jtg_breakglass_options_init(NULL);
    assert_int_equal(by_function.struct_size, by_macro.struct_size);
    assert_null(by_function.name);
    assert_null(by_function.key);
    assert_int_equal(by_function.ttl_ms, JTG_BREAKGLASS_TTL_MS_DEFAULT);
    assert_int_equal(by_macro.ttl_ms, JTG_BREAKGLASS_TTL_MS_DEFAULT);
    assert_int_equal(by_function.max_uses, 0);
    assert_true(by_function.audit == NULL && by_macro.audit == NULL);
    assert_null(by_function.clock);
}

static void none_are_the_defaults(void **state)
{
    jtg_breakglass_options options;
    (void)state;
    assert_status(jtgi_breakglass_options_read(&options, NULL, NULL), JTG_OK);
    assert_string_equal(options.name, "default");
    assert_int_equal(options.ttl_ms, JTG_BREAKGLASS_TTL_MS_DEFAULT);
}

static void refuse(const jtg_breakglass_options *given, const char *what)
{
    jtg_breakglass_options options;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_breakglass_options_read(&options, given, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, what));
}

static void accept(const jtg_breakglass_options *given)
{
    jtg_breakglass_options options;
    assert_status(jtgi_breakglass_options_read(&options, given, NULL), JTG_OK);
}

static void ranges_are_kept(void **state)
{
    static const unsigned char zero[JTG_BREAKGLASS_KEY_BYTES];
    static const unsigned char weak[JTG_BREAKGLASS_KEY_BYTES] = {[31] = 1};
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    (void)state;
    options.ttl_ms = 0;
    refuse(&options, "ttl_ms");
    options.ttl_ms = JTG_BREAKGLASS_TTL_MS_LIMIT + 1;
    refuse(&options, "ttl_ms");
    options.ttl_ms = JTG_BREAKGLASS_TTL_MS_LIMIT;
    accept(&options);
    options.ttl_ms = 1;
    options.max_uses = JTG_BREAKGLASS_MAX_USES_LIMIT + 1;
    refuse(&options, "max_uses");
    options.max_uses = JTG_BREAKGLASS_MAX_USES_LIMIT;
    accept(&options);
    options.key = zero;
    refuse(&options, "key");
    options.key = weak;
    accept(&options);
    options.struct_size = 0;
    refuse(&options, "struct_size");
}

static void names_are_checked(void **state)
{
    char name[JTG_BREAKGLASS_NAME_MAX_BYTES + 2];
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    (void)state;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    options.name = name;
    refuse(&options, "name");
    name[sizeof name - 2] = '\0';
    accept(&options);
    options.name = "";
    refuse(&options, "name");
    options.name = "a\nb";
    refuse(&options, "name");
    options.name = "a\x7f";
    refuse(&options, "name");
    options.name = "b\xc3\xbcro 3";
    accept(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initialiser_and_the_function_agree),
        cmocka_unit_test(none_are_the_defaults),
        cmocka_unit_test(ranges_are_kept),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests_name("breakglass options", tests, NULL, NULL);
}
