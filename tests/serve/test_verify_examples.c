/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of RFC 7515 (appendix A), RFC 7520 (section 4), RFC 7638 (section 3.1), RFC 8037
 * (appendix A) and RFC 9449 (sections 4, 6 and 7): keys and tokens that others signed. */
#include "serve/verify/dpop.h"
#include "serve/verify/strict_json.h"
#include "serve/verify/token_times.h"
#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct example {
    const char *jwk;
    const char *token;
    const char *alg;
};

#define RSA_7515                                                                                   \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-"   \
    "Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_"   \
    "7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3"  \
    "qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyu" \
    "XpoQ\",\"e\":\"AQAB\"}"
#define CLAIMS_7515                                                                                \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define EC_7515                                                                                    \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","     \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define RSA_7520                                                                                   \
    "{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\",\"n\":"           \
    "\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_A"  \
    "JmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe" \
    "-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUF" \
    "AKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\",\"e\":\"AQAB\"}"
#define EC_7520                                                                                    \
    "{\"kty\":\"EC\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\",\"crv\":\"P-"      \
    "521\","                                                                                       \
    "\"x\":\"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5c" \
    "j0Kt\",\"y\":\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cw" \
    "lGfP-HqHZR1\"}"
#define PAYLOAD_7520                                                                               \
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250" \
    "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl" \
    "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
#define KEY_9449                                                                                   \
    "{\"kty\":\"EC\",\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\","                       \
    "\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\",\"crv\":\"P-256\"}"

static const struct example examples[] = {
    {RSA_7515, /* A.2 */
     "eyJhbGciOiJSUzI1NiJ9." CLAIMS_7515
     ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2"
     "Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
     "MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI"
     "2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
     "RS256"},
    {EC_7515, /* A.3 */
     "eyJhbGciOiJFUzI1NiJ9." CLAIMS_7515
     ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
     "ES256"},
    {"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5"
     "EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2"
     "Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}", /* A.4 */
     "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-"
     "mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNr"
     "mxYbSW9ERBXukOXolLzeO_Jn",
     "ES512"},
    {RSA_7520, /* 4.1 */
     "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD_7520
     ".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xug"
     "lII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6"
     "x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQS"
     "E_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
     "RS256"},
    {RSA_7520, /* 4.2 */
     "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD_7520
     ".cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8T"
     "TB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqr"
     "YRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHt"
     "fa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
     "PS384"},
    {EC_7520, /* 4.3 */
     "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD_7520
     ".AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy"
     "3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
     "ES512"},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvM"
     "g3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", /* RFC 8037 A.4 */
     "EdDSA"},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static void read_key(struct jwk *key, const char *text)
{
    json_t *object = NULL;
    assert_int_equal(strict_json_read(&object, text, strlen(text)), JSON_FAULT_NONE);
    assert_int_equal(jwk_read(key, object), JWK_FAULT_NONE);
    json_decref(object);
}

static void they_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct jws jws;
        struct jwk key;
        read_key(&key, examples[i].jwk);
        assert_int_equal(jws_read_header(&jws, examples[i].token, strlen(examples[i].token), 4096),
                         REFUSAL_NONE);
        assert_string_equal(jws.alg->name, examples[i].alg);
        assert_true(jws_is_signed_by(&jws, &key));
        jws_clear(&jws);
        jwk_clear(&key);
    }
}

static void each_with_its_own_key_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++)
        for (size_t j = 0; j < EXAMPLES; j++) {
            struct jws jws;
            struct jwk key;
            read_key(&key, examples[j].jwk);
            assert_int_equal(
                jws_read_header(&jws, examples[i].token, strlen(examples[i].token), 4096),
                REFUSAL_NONE);
            bool is_same = strcmp(examples[i].jwk, examples[j].jwk) == 0;
            assert_int_equal(jws_is_signed_by(&jws, &key), is_same);
            jws_clear(&jws);
            jwk_clear(&key);
        }
}

static void and_not_when_a_bit_is_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        char changed[2048];
        struct jws jws;
        struct jwk key;
        (void)snprintf(changed, sizeof changed, "%s", examples[i].token);
        char *payload = strchr(changed, '.') + 1;
        *payload = *payload == 'e' ? 'f' : 'e';
        read_key(&key, examples[i].jwk);
        assert_int_equal(jws_read_header(&jws, changed, strlen(changed), 4096), REFUSAL_NONE);
        assert_false(jws_is_signed_by(&jws, &key));
        jws_clear(&jws);
        jwk_clear(&key);
    }
}

/* RFC 7515 A.2 and A.3 by the clock: exp is 1300819380. */
static void the_claims_by_the_clock(void **state)
{
    (void)state;
    static const struct time_limits limits = {.leeway_ms = 0, .max_lifetime_ms = 86400000};
    for (size_t i = 0; i < 2; i++) {
        struct jws jws;
        jtg_claims claims = JTG_CLAIMS_INIT;
        assert_int_equal(jws_read(&jws, examples[i].token, strlen(examples[i].token), 4096),
                         REFUSAL_NONE);
        assert_string_equal(json_string_value(json_object_get(jws.payload, "iss")), "joe");
        assert_true(token_times_read(&claims, jws.payload));
        assert_int_equal(token_times_check(&limits, &claims, false, INT64_C(1300819379999)),
                         REFUSAL_NONE);
        assert_int_equal(token_times_check(&limits, &claims, false, INT64_C(1300819380000)),
                         REFUSAL_EXPIRED);
        jws_clear(&jws);
    }
}

/* A.1 is a MAC and A.5 unsecured: never verified. */
static void the_examples_that_nobody_signed(void **state)
{
    (void)state;
    static const char *const tokens[] = {"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." CLAIMS_7515
                                         ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                                         "eyJhbGciOiJub25lIn0." CLAIMS_7515 "."};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        struct jws jws;
        assert_int_equal(jws_read(&jws, tokens[i], strlen(tokens[i]), 4096),
                         REFUSAL_UNSUPPORTED_ALG);
        jws_clear(&jws);
    }
}

static void thumbprints(void **state)
{
    (void)state;
    static const struct {
        const char *jwk;
        const char *thumbprint;
    } known[] = {
        /* RFC 7638 section 3.1: kid and alg are no part of it. */
        {"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86"
         "zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN"
         "5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOp"
         "bISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a"
         "wapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
         "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
        /* RFC 8037 appendix A.3 */
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
         "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
         "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
        /* RFC 9449 section 6.1 */
        {KEY_9449, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct jwk key;
        read_key(&key, known[i].jwk);
        assert_string_equal(key.thumbprint, known[i].thumbprint);
        jwk_clear(&key);
    }
}

/* RFC 9449 section 7.1: the request for the protected resource. */
#define PROOF_HEADER                                                                               \
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo" \
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW" \
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
static const char resource_proof[] = PROOF_HEADER
    ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxl"
    "Lm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0Ji"
    "MHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVn"
    "mcw6Fy1dqd-jfxSYoMxhAJpLjA";

static enum refusal check_resource_proof(const char *method, const char *url, const char *token,
                                         const char *bound_to, int64_t now_ms)
{
    struct proof proof;
    struct rules rules = {.max_token_bytes = 4096,
                          .proof_limits = {.leeway_ms = 0, .max_lifetime_ms = 300000}};
    struct dpop_request request = {jtg_text_of(method), jtg_text_of(url), jtg_text_of(token),
                                   jtg_text_of(resource_proof)};
    enum refusal refusal = proof_read(&proof, &rules, &request, now_ms);
    if (refusal == REFUSAL_NONE)
        refusal = proof_check_key(&proof, bound_to);
    if (refusal == REFUSAL_NONE)
        assert_memory_equal(proof.claims.jti.data, "e1j3V_bKic8-LAEB", 16);
    proof_clear(&proof);
    return refusal;
}

static void a_proof_with_the_clock_set(void **state)
{
    (void)state;
    static const char url[] = "https://resource.example.org/protectedresource";
    static const char token[] = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    static const char jkt[] = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    static const int64_t iat_ms = INT64_C(1562262618000);
    assert_int_equal(check_resource_proof("GET", url, token, jkt, iat_ms), REFUSAL_NONE);
    assert_int_equal(check_resource_proof("GET", url, token, jkt, iat_ms + 299999), REFUSAL_NONE);
    assert_int_equal(check_resource_proof("GET", url, token, jkt, iat_ms + 300000),
                     REFUSAL_PROOF_EXPIRED);
    assert_int_equal(check_resource_proof("GET", url, token, jkt, iat_ms - 1),
                     REFUSAL_PROOF_ISSUED_IN_FUTURE);
    assert_int_equal(check_resource_proof("POST", url, token, jkt, iat_ms),
                     REFUSAL_PROOF_WRONG_METHOD);
    assert_int_equal(
        check_resource_proof("GET", "https://resource.example.org/other", token, jkt, iat_ms),
        REFUSAL_PROOF_WRONG_URL);
    assert_int_equal(check_resource_proof("GET", url, "other", jkt, iat_ms),
                     REFUSAL_PROOF_WRONG_TOKEN);
    assert_int_equal(check_resource_proof("GET", url, token,
                                          "1ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", iat_ms),
                     REFUSAL_PROOF_WRONG_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_verify),
        cmocka_unit_test(each_with_its_own_key_only),
        cmocka_unit_test(and_not_when_a_bit_is_changed),
        cmocka_unit_test(the_claims_by_the_clock),
        cmocka_unit_test(the_examples_that_nobody_signed),
        cmocka_unit_test(thumbprints),
        cmocka_unit_test(a_proof_with_the_clock_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
