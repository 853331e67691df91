/* SPDX-License-Identifier: Apache-2.0 */
/* docs/vectors, which any guard in any language can run, on this one: keys and owners, and
 * sequences of questions on a clock that is moved. A member that this program does not know fails,
 * so that no vector says what nobody looks at. */
#include "support/asserts.h"
#include "support/guard_fixture.h"
#include "support/text_file.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *load(const char *name)
{
    char path[512];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/%s.json", JTIGUARD_VECTORS, name);
    char *text = text_file_read(path);
    json_t *root = json_loads(text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (root == NULL)
        fail_msg("%s: %s", path, error.text);
    return root;
}

static int64_t ms_of(const json_t *seconds)
{
    assert_true(json_is_number(seconds));
    return (int64_t)llround(json_number_value(seconds) * 1000.0);
}

static const char *text_of_member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* ---- claims and options ---- */

static bool read_text(jtg_claims *claims, const char *name, const json_t *value)
{
    const struct {
        const char *name;
        jtg_text *text;
    } texts[] = {
        {"custom_kind", &claims->custom_kind},
        {"iss", &claims->issuer},
        {"aud", &claims->audience},
        {"client", &claims->client},
        {"thumbprint", &claims->thumbprint},
        {"jti", &claims->jti},
        {"signing_input", &claims->signing_input},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].text = (jtg_text){json_string_value(value), json_string_length(value)};
            return true;
        }
    return false;
}

static bool read_time(jtg_claims *claims, const char *name, const json_t *value)
{
    const struct {
        const char *name;
        int64_t *ms;
    } times[] = {{"iat", &claims->iat_ms},
                 {"nbf", &claims->nbf_ms},
                 {"exp", &claims->exp_ms},
                 {"lifetime", &claims->lifetime_ms}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(times[i].name, name) == 0) {
            *times[i].ms = ms_of(value);
            return true;
        }
    return false;
}

static void read_claims(jtg_claims *claims, json_t *object)
{
    const char *name = NULL;
    json_t *value = NULL;
    jtg_claims_init(claims);
    claims->kind = jtg_kind_from_name(text_of_member(object, "kind"));
    json_object_foreach(object, name, value)
    {
        if (strcmp(name, "kind") != 0 && !read_text(claims, name, value) &&
            !read_time(claims, name, value))
            fail_msg("claims: %s", name);
    }
}

static bool read_number(jtg_guard_options *options, const char *name, const json_t *value)
{
    const struct {
        const char *name;
        uint32_t *number;
    } numbers[] = {{"restart_rule", &options->restart_rule},
                   {"max_lifetime_s", &options->max_lifetime_s},
                   {"proof_max_age_s", &options->proof_max_age_s}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i].name, name) == 0) {
            *numbers[i].number = (uint32_t)json_integer_value(value);
            return true;
        }
    return false;
}

static void read_option(struct guard_fixture *f, const char *name, const json_t *value)
{
    jtg_guard_options *options = &f->options;
    const char *text = json_string_value(value);
    if (strcmp(name, "key_prefix") == 0)
        options->key_prefix = text;
    else if (strcmp(name, "key_form") == 0)
        options->key_form = strcmp(text, "plain") == 0 ? JTG_KEY_PLAIN : JTG_KEY_DIGEST;
    else if (strcmp(name, "missing_jti") == 0)
        options->missing_jti =
            strcmp(text, "digest") == 0 ? JTG_MISSING_JTI_DIGEST : JTG_MISSING_JTI_REFUSE;
    else if (strcmp(name, "continuity") == 0)
        f->watching = json_is_true(value);
    else if (!read_number(options, name, value))
        fail_msg("option: %s", name);
}

static void open_guard(struct guard_fixture *f, json_t *options)
{
    const char *name = NULL;
    json_t *value = NULL;
    guard_fixture_init(f);
    json_object_foreach(options, name, value) read_option(f, name, value);
    guard_fixture_open(f);
}

/* ---- keys ---- */

static void judge_key(json_t *vector)
{
    struct guard_fixture f;
    jtg_claims claims;
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t len = 0;
    const char *expected = text_of_member(vector, "key");
    const char *reason = expected != NULL ? "admitted" : text_of_member(vector, "reason");
    open_guard(&f, json_object_get(vector, "options"));
    read_claims(&claims, json_object_get(vector, "claims"));
    const char *got = jtg_reason_name(jtg_guard_key(f.guard, &claims, key, &len));
    if (strcmp(got, reason) != 0)
        fail_msg("%s: %s, not %s", text_of_member(vector, "name"), got, reason);
    if (expected != NULL && (len != strlen(expected) || memcmp(key, expected, len) != 0))
        fail_msg("%s: %.*s, not %s", text_of_member(vector, "name"), (int)len, (const char *)key,
                 expected);
    guard_fixture_close(&f);
}

static void keys_are_as_told(void **state)
{
    (void)state;
    json_t *root = load("keys");
    json_t *vectors = json_object_get(root, "vectors");
    assert_true(json_array_size(vectors) > 30);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        judge_key(json_array_get(vectors, i));
    json_decref(root);
}

static void owners_are_as_told(void **state)
{
    (void)state;
    json_t *root = load("keys");
    const json_t *owners = json_object_get(root, "owners");
    assert_true(json_array_size(owners) > 3);
    for (size_t i = 0; i < json_array_size(owners); i++) {
        const json_t *vector = json_array_get(owners, i);
        const json_t *value = json_object_get(vector, "owner");
        jtg_owner owner;
        char hex[2 * sizeof owner.bytes + 1] = "";
        assert_status(
            jtg_owner_from_bytes(&owner, json_string_value(value), json_string_length(value)),
            JTG_OK);
        for (size_t byte = 0; byte < sizeof owner.bytes; byte++)
            (void)snprintf(hex + 2 * byte, 3, "%02x", owner.bytes[byte]);
        assert_string_equal(hex, text_of_member(vector, "hex"));
    }
    json_decref(root);
}

/* ---- sequences ---- */

static void read_owner(jtg_owner *owner, const json_t *step)
{
    const char *text = text_of_member(step, "owner");
    assert_non_null(text);
    assert_status(jtg_owner_from_bytes(owner, text, strlen(text)), JTG_OK);
}

static const char *admit(struct guard_fixture *f, const json_t *step)
{
    jtg_owner owner;
    read_claims(&f->claims, json_object_get(step, "admit"));
    if (json_object_get(step, "owner") != NULL) {
        read_owner(&owner, step);
        f->claims.owner = &owner;
    }
    jtg_reason reason = guard_fixture_ask(f);
    const json_t *ttl = json_object_get(step, "ttl_ms");
    if (ttl != NULL)
        assert_int_equal(f->decision.ttl_ms, json_integer_value(ttl));
    f->claims.owner = NULL; /* it ends here */
    return jtg_reason_name(reason);
}

static const char *release(struct guard_fixture *f, const json_t *step)
{
    jtg_claims claims;
    jtg_reservation reservation = {.key_len = 0};
    size_t len = 0;
    read_claims(&claims, json_object_get(step, "release"));
    assert_reason(jtg_guard_key(f->guard, &claims, reservation.key, &len), JTG_REASON_ADMITTED);
    reservation.key_len = (uint32_t)len;
    read_owner(&reservation.owner, step);
    return jtg_status_name(jtg_guard_release(f->guard, &reservation, NULL));
}

static jtg_status status_of(const char *name)
{
    for (int status = 0; status < (int)JTG_STATUS_COUNT; status++)
        if (strcmp(jtg_status_name((jtg_status)status), name) == 0)
            return (jtg_status)status;
    fail_msg("no status %s", name);
    return JTG_ERR_SYSTEM;
}

/* What happens before, or in place of, a question. */
static void happen(struct guard_fixture *f, const char *name, const json_t *value)
{
    if (strcmp(name, "advance") == 0) {
        test_clock_advance(&f->clock, ms_of(value));
    } else if (strcmp(name, "set_clock") == 0) {
        test_clock_set_wall_by(&f->clock, ms_of(value));
    } else if (strcmp(name, "answer") == 0) {
        f->store->answer = status_of(json_string_value(value));
    } else if (strcmp(name, "forget") == 0) {
        recording_cache_forget(f->store);
    } else if (strcmp(name, "restart") == 0) {
        guard_fixture_close_guard(f);
        recording_cache_forget(f->store);
        guard_fixture_open(f);
    }
}

static void check_members(json_t *step)
{
    static const char known[] =
        " advance set_clock answer forget restart admit release owner ttl_ms expect ";
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(step, name, value)
    {
        char padded[32];
        (void)snprintf(padded, sizeof padded, " %s ", name);
        assert_non_null(value);
        if (strstr(known, padded) == NULL)
            fail_msg("step: %s", name);
    }
}

static void take_step(struct guard_fixture *f, const char *sequence, size_t index, json_t *step)
{
    static const char *const events[] = {"advance", "set_clock", "answer", "forget", "restart"};
    const char *got = NULL;
    check_members(step);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (json_object_get(step, events[i]) != NULL)
            happen(f, events[i], json_object_get(step, events[i]));
    if (json_object_get(step, "admit") != NULL)
        got = admit(f, step);
    else if (json_object_get(step, "release") != NULL)
        got = release(f, step);
    const char *expected = text_of_member(step, "expect");
    if ((got == NULL) != (expected == NULL) || (got != NULL && strcmp(got, expected) != 0))
        fail_msg("%s, step %zu: %s, not %s", sequence, index + 1, got, expected);
}

static void sequences_end_as_told(void **state)
{
    (void)state;
    json_t *root = load("sequences");
    json_t *sequences = json_object_get(root, "sequences");
    assert_int_equal(ms_of(json_object_get(root, "start")), TEST_CLOCK_WALL_MS);
    assert_true(json_array_size(sequences) > 10);
    for (size_t i = 0; i < json_array_size(sequences); i++) {
        struct guard_fixture f;
        const json_t *sequence = json_array_get(sequences, i);
        json_t *steps = json_object_get(sequence, "steps");
        open_guard(&f, json_object_get(sequence, "options"));
        for (size_t step = 0; step < json_array_size(steps); step++)
            take_step(&f, text_of_member(sequence, "name"), step, json_array_get(steps, step));
        guard_fixture_close(&f);
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_as_told),
        cmocka_unit_test(owners_are_as_told),
        cmocka_unit_test(sequences_end_as_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
