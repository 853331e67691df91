/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/resp/reply.h"
#include "support/asserts.h"

#include <jtiguard/cache.h>
#include <string.h>

/* A reply as the reader makes it from the wire. */
static redisReply *read_reply(const char *wire)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    assert_non_null(reader);
    assert_int_equal(redisReaderFeed(reader, wire, strlen(wire)), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

/* All that one reply is taken for. */
struct verdict {
    bool ok;
    bool nil;
    bool integer;
    bool value;
    bool scan;
    bool error;
};

static struct verdict judge(const char *wire)
{
    redisReply *reply = read_reply(wire);
    const redisReply *part = NULL;
    long long number = 0;
    uint64_t other = 0;
    struct verdict verdict = {jtgi_reply_is_ok(reply),
                              jtgi_reply_is_nil(reply),
                              jtgi_reply_integer(reply, -1, 1, &number),
                              jtgi_reply_value(reply, &part, &other),
                              jtgi_reply_scan(reply, &other, &part),
                              jtgi_reply_error(reply) != NULL};
    assert_true(jtgi_reply_type_known(reply));
    freeReplyObject(reply);
    return verdict;
}

static int count_yes(struct verdict v)
{
    return v.ok + v.nil + v.integer + v.value + v.scan + v.error;
}

static void each_reply_is_one_thing(void **state)
{
    (void)state;
    assert_true(judge("+OK\r\n").ok);
    assert_true(judge("$-1\r\n").nil);
    assert_true(judge(":-1\r\n").integer);
    assert_true(judge("*2\r\n$1\r\nv\r\n:5\r\n").value);
    assert_true(judge("*2\r\n$2\r\n17\r\n*1\r\n$1\r\nk\r\n").scan);
    assert_true(judge("-ERR x\r\n").error);
    assert_int_equal(count_yes(judge("+OK\r\n")), 1);
    assert_int_equal(count_yes(judge(":1\r\n")), 1);
    assert_int_equal(count_yes(judge("-OK\r\n")), 1);
}

static void nearly_is_not(void **state)
{
    static const char *const nothing[] = {
        "+OKAY\r\n",
        "+ok\r\n",
        "+\r\n",
        "$2\r\nOK\r\n",
        ":2\r\n",
        ":-2\r\n",
        "*0\r\n",
        "*2\r\n$0\r\n\r\n:5\r\n",                       /* an empty value */
        "*2\r\n$1\r\nv\r\n:0\r\n",                      /* no time left */
        "*2\r\n$1\r\nv\r\n:31622400001\r\n",            /* more time than anything has */
        "*2\r\n$1\r\nv\r\n$1\r\n5\r\n",                 /* time as text */
        "*3\r\n$1\r\nv\r\n:5\r\n:5\r\n",                /* one too many */
        "*2\r\n$2\r\n1x\r\n*0\r\n",                     /* no cursor */
        "*2\r\n$0\r\n\r\n*0\r\n",                       /* an empty one */
        "*2\r\n$21\r\n184467440737095516160\r\n*0\r\n", /* too large a one */
        "*2\r\n$1\r\n0\r\n*1\r\n:1\r\n",                /* a key that is a number */
    };
    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        assert_int_equal(count_yes(judge(nothing[i])), 0);
}

static void bytes_are_compared_whole(void **state)
{
    (void)state;
    redisReply *reply = read_reply("$4\r\nseal\r\n");
    assert_true(jtgi_reply_is_bytes(reply, "seal", 4));
    assert_false(jtgi_reply_is_bytes(reply, "sea", 3));
    assert_false(jtgi_reply_is_bytes(reply, "seals", 5));
    assert_false(jtgi_reply_is_bytes(reply, "Seal", 4));
    freeReplyObject(reply);
    reply = read_reply("+seal\r\n");
    assert_false(jtgi_reply_is_bytes(reply, "seal", 4));
    freeReplyObject(reply);
}

static void types_beyond_resp2_are_not_known(void **state)
{
    (void)state;
    for (int type = -1; type < 20; type++) {
        redisReply reply = {.type = type};
        assert_int_equal(jtgi_reply_type_known(&reply), type >= 1 && type <= 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reply_is_one_thing),
        cmocka_unit_test(nearly_is_not),
        cmocka_unit_test(bytes_are_compared_whole),
        cmocka_unit_test(types_beyond_resp2_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
