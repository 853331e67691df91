/* SPDX-License-Identifier: Apache-2.0 */
/* A server knows a script by its SHA-1 alone: a digest of another text would run nothing, for ever
 * NOSCRIPT; or, worse, another script. */
#include "redis/say/resp/scripts.h"

#include "support/asserts.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static void each_digest_is_that_of_its_text(void **state)
{
    (void)state;
    for (enum jtgi_script script = JTGI_SCRIPT_HOLD; script < JTGI_SCRIPT_COUNT; script++) {
        const char *text = jtgi_script_text(script);
        unsigned char digest[EVP_MAX_MD_SIZE];
        char hex[2 * 20 + 1];
        unsigned len = 0;
        assert_int_equal(EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL), 1);
        assert_int_equal(len, 20);
        for (unsigned i = 0; i < len; i++)
            (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        assert_string_equal(jtgi_script_sha1(script), hex);
    }
}

/* The one that is asked for: each has a word that no other has. */
static void each_script_is_its_own(void **state)
{
    (void)state;
    for (enum jtgi_script one = JTGI_SCRIPT_HOLD; one < JTGI_SCRIPT_COUNT; one++)
        for (enum jtgi_script other = JTGI_SCRIPT_HOLD; other < one; other++)
            assert_string_not_equal(jtgi_script_sha1(one), jtgi_script_sha1(other));
    assert_non_null(strstr(jtgi_script_text(JTGI_SCRIPT_SHARE), "ZADD"));
    assert_non_null(strstr(jtgi_script_text(JTGI_SCRIPT_UNSHARE), "ZREM"));
    assert_non_null(strstr(jtgi_script_text(JTGI_SCRIPT_RELEASE), "DEL"));
    assert_null(strstr(jtgi_script_text(JTGI_SCRIPT_HOLD), "'DEL'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_digest_is_that_of_its_text),
        cmocka_unit_test(each_script_is_its_own),
    };
    return cmocka_run_group_tests_name("scripts", tests, NULL, NULL);
}
