/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever strangers can make the verifier read: tokens, proofs, sets of keys, discovery
 * documents, URLs. The first byte chooses. Nothing may crash, leak or be accepted: who feeds this
 * has no key. Linked with libFuzzer, or with fuzz_main.c where there is none. */
#include "serve/verify/base64url.h"
#include "serve/verify/discovery.h"
#include "serve/verify/jwks.h"
#include "serve/verify/strict_json.h"
#include "serve/verify/target_url.h"
#include "serve/verify/verify.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS INT64_C(1795176000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

static struct verifier *verifier;

#define KEY                                                                                        \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","     \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

static void expect(int is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Two kinds of one issuer, so that both ways of showing a token are open. */
static void make_verifier(void)
{
    static const char *const audiences[] = {"a"};
    static const char *const no_typ[] = {""};
    static const struct claim_header headers[] = {{"x", "X-Claim"}};
    static const jtg_guard_options guard = JTG_GUARD_OPTIONS_INIT;
    char path[] = "/tmp/jtiguard-fuzz-XXXXXX";
    struct issuer_settings entries[] = {{.issuer = "i",
                                         .keys_from = KEYS_FROM_FILE,
                                         .keys_at = path,
                                         .kind = JTG_KIND_ID_TOKEN,
                                         .audiences = {audiences, 1},
                                         .headers = headers,
                                         .header_count = 1},
                                        {.issuer = "i",
                                         .keys_from = KEYS_FROM_FILE,
                                         .keys_at = path,
                                         .kind = JTG_KIND_DPOP_PROOF,
                                         .audiences = {audiences, 1}}};
    struct verify_settings settings = VERIFY_SETTINGS_INIT;
    settings.issuers = entries;
    settings.issuer_count = 2;
    settings.guard = &guard;
    entries[0].typs = (struct text_list){no_typ, 1};
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    expect(file != NULL && fputs("{\"keys\":[" KEY "]}", file) >= 0 && fclose(file) == 0, "file");
    expect(verifier_new(&verifier, &settings, NULL) == JTG_OK, "verifier");
    (void)unlink(path);
}

static void read_bearer(const char *text, size_t text_len)
{
    struct verified verified;
    enum refusal refusal = verify_bearer(verifier, text, text_len, NOW_MS, &verified);
    expect(refusal != REFUSAL_NONE, "a token without its key is accepted");
    expect(refusal < REFUSAL_COUNT, "a refusal that is none");
    expect(verified.storage == NULL, "a refused token is handed out");
    verified_clear(&verified);
}

static char *append_part(char *out, const char *json, size_t json_len, char end)
{
    size_t out_bytes =
        sodium_base64_encoded_len(json_len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)sodium_bin2base64(out, out_bytes, (const unsigned char *)json, json_len,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out += out_bytes - 1;
    *out = end;
    return out + 1;
}

/* Header and payload as JSON with a line end between, so that the fuzzer need not learn base64url;
 * the signature is of the right length and wrong. */
static char *make_token(const char *text, size_t text_len)
{
    char signature[64] = {1};
    const char *middle = memchr(text, '\n', text_len);
    size_t header_len = middle != NULL ? (size_t)(middle - text) : text_len;
    size_t payload_len = middle != NULL ? text_len - header_len - 1 : 0;
    char *token = malloc(2 * text_len + 256);
    expect(token != NULL, "memory");
    char *out = append_part(token, text, header_len, '.');
    out = append_part(out, text + text_len - payload_len, payload_len, '.');
    (void)append_part(out, signature, sizeof signature, '\0');
    return token;
}

static void read_json_token(const char *text, size_t text_len)
{
    char *token = make_token(text, text_len);
    read_bearer(token, strlen(token));
    free(token);
}

#define BOUND_TOKEN                                                                                \
    "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}\n{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","          \
    "\"exp\":1795176060,\"cnf\":{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}}"

static void read_proof(const char *text, size_t text_len)
{
    struct verified verified;
    char *token = make_token(BOUND_TOKEN, strlen(BOUND_TOKEN));
    char *proof = make_token(text, text_len);
    struct dpop_request request = {
        {"GET", 3}, {"https://a.example/", 18}, {token, strlen(token)}, {proof, strlen(proof)}};
    enum refusal refusal = verify_dpop(verifier, &request, NOW_MS, &verified);
    expect(refusal != REFUSAL_NONE, "a proof for a token that nobody signed is accepted");
    verified_clear(&verified);
    free(proof);
    free(token);
}

static void read_set(const char *text, size_t text_len)
{
    struct jwks_tally tally;
    const char *why = NULL;
    struct jwks *set = jwks_read(text, text_len, JWKS_OF_ISSUER, &tally, &why);
    expect(set == NULL || jwks_count(set) == tally.kept, "keys are not counted");
    jwks_release(set);
}

static void read_discovery(const char *text, size_t text_len)
{
    char url[DISCOVERY_URL_BYTES];
    char why[DISCOVERY_WHY_BYTES];
    if (discovery_read(url, "https://i.example", text, text_len, why))
        expect(memchr(url, '\0', sizeof url) != NULL, "a URL without an end");
}

/* What is normal stays as it is. */
static void read_url(const char *text, size_t text_len)
{
    char once[TARGET_URL_BYTES];
    char twice[TARGET_URL_BYTES];
    if (!target_url_normalize(once, (jtg_text){text, text_len}))
        return;
    expect(target_url_normalize(twice, (jtg_text){once, strlen(once)}), "no URL the second time");
    expect(strcmp(once, twice) == 0, "two spellings of one URL");
}

/* What decodes is what its bytes encode to. */
static void read_base64url(const char *text, size_t text_len)
{
    unsigned char data[256];
    char back[512];
    size_t data_len = 0;
    if (!base64url_decode(text, text_len, data, sizeof data, &data_len))
        return;
    (void)sodium_bin2base64(back, sizeof back, data, data_len,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    expect(strlen(back) == text_len && memcmp(back, text, text_len) == 0, "two spellings");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    static void (*const readers[])(const char *, size_t) = {
        read_bearer,    read_json_token, read_proof,    read_set,
        read_discovery, read_url,        read_base64url};
    if (verifier == NULL)
        make_verifier();
    if (data_len == 0)
        return 0;
    readers[data[0] % (sizeof readers / sizeof *readers)]((const char *)data + 1, data_len - 1);
    return 0;
}
