/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/cipher.h"

#include "core/alloc.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_BYTES = 16, HALF_NONCE_BYTES = 12, LABEL_MAX_BYTES = 64 };

/* Looked up once: OpenSSL 3 takes a lock and searches at every use of a cipher that it has to find.
 * They live as long as the process. */
static EVP_CIPHER *gcm;
static EVP_CIPHER *ecb;
static EVP_KDF *hkdf;

static void fetch(void)
{
    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}

static bool is_fetched(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, fetch);
    return gcm != NULL && ecb != NULL && hkdf != NULL;
}

static EVP_CIPHER_CTX *new_context(void)
{
    return jtgi_alloc_permitted() ? EVP_CIPHER_CTX_new() : NULL;
}

/* ---- the key of one message ---- */

/* Double in GF(2^128), as CMAC makes its first subkey. No branch on a secret. */
static void double_block(unsigned char block[BLOCK_BYTES])
{
    unsigned carry = (unsigned)block[0] >> 7;
    for (unsigned i = 0; i < BLOCK_BYTES; i++) {
        unsigned next = i + 1 < BLOCK_BYTES ? block[i + 1] : 0;
        block[i] = (unsigned char)((unsigned)block[i] << 1 | next >> 7);
    }
    block[BLOCK_BYTES - 1] = (unsigned char)(block[BLOCK_BYTES - 1] ^ (carry * 0x87U));
}

static bool encrypt_blocks(EVP_CIPHER_CTX *context, unsigned char *to, const unsigned char *from,
                           int len)
{
    int done = 0;
    return EVP_EncryptUpdate(context, to, &done, from, len) == 1 && done == len;
}

/* CMAC of each one-block message `00 i 'X' 00 nonce[0…11]`, i = 1, 2. */
static bool derive_message_key(EVP_CIPHER_CTX *context, const unsigned char *key,
                               const unsigned char *nonce, unsigned char derived[JTGI_SECRET_BYTES])
{
    unsigned char subkey[BLOCK_BYTES] = {0};
    unsigned char blocks[2 * BLOCK_BYTES] = {0};
    bool good = EVP_EncryptInit_ex2(context, ecb, key, NULL, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                encrypt_blocks(context, subkey, blocks, BLOCK_BYTES);
    double_block(subkey);
    for (unsigned i = 0; i < 2; i++) {
        unsigned char *block = blocks + (size_t)i * BLOCK_BYTES;
        block[1] = (unsigned char)(i + 1);
        block[2] = 'X';
        memcpy(block + 4, nonce, HALF_NONCE_BYTES);
        for (unsigned k = 0; k < BLOCK_BYTES; k++)
            block[k] = (unsigned char)(block[k] ^ subkey[k]);
    }
    good = good && encrypt_blocks(context, derived, blocks, sizeof blocks);
    OPENSSL_cleanse(subkey, sizeof subkey);
    OPENSSL_cleanse(blocks, sizeof blocks);
    return good;
}

/* ---- a message ---- */

static bool start(EVP_CIPHER_CTX *context, const unsigned char *key, const unsigned char *nonce,
                  int encrypt)
{
    unsigned char derived[JTGI_SECRET_BYTES];
    bool good =
        derive_message_key(context, key, nonce, derived) && EVP_CIPHER_CTX_reset(context) == 1 &&
        EVP_CipherInit_ex2(context, gcm, derived, nonce + HALF_NONCE_BYTES, encrypt, NULL) == 1;
    OPENSSL_cleanse(derived, sizeof derived);
    return good;
}

static bool bind(EVP_CIPHER_CTX *context, struct jtgi_span span)
{
    int done = 0;
    return span.len == 0 || EVP_CipherUpdate(context, NULL, &done, span.data, (int)span.len) == 1;
}

static bool work(EVP_CIPHER_CTX *context, const struct jtgi_bound *bound, unsigned char *to,
                 struct jtgi_span from)
{
    int done = 0;
    return bind(context, bound->header) && bind(context, bound->context) &&
           (from.len == 0 || (EVP_CipherUpdate(context, to, &done, from.data, (int)from.len) == 1 &&
                              done == (int)from.len));
}

static bool fits(const struct jtgi_bound *bound, size_t len)
{
    return bound->header.len <= INT_MAX && bound->context.len <= INT_MAX && len <= INT_MAX;
}

jtg_status jtgi_cipher_seal(const unsigned char key[JTGI_SECRET_BYTES],
                            const unsigned char nonce[JTGI_CIPHER_NONCE_BYTES],
                            const struct jtgi_bound *bound, struct jtgi_span plain,
                            unsigned char *sealed)
{
    unsigned char rest[BLOCK_BYTES]; /* GCM leaves nothing for it */
    int done = 0;
    if (!is_fetched() || !fits(bound, plain.len))
        return JTG_ERR_SYSTEM;
    EVP_CIPHER_CTX *context = new_context();
    if (context == NULL)
        return JTG_ERR_MEMORY;
    bool good = start(context, key, nonce, 1) && work(context, bound, sealed, plain) &&
                EVP_CipherFinal_ex(context, rest, &done) == 1 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, JTGI_CIPHER_TAG_BYTES,
                                    sealed + plain.len) == 1;
    EVP_CIPHER_CTX_free(context);
    return good ? JTG_OK : JTG_ERR_SYSTEM;
}

jtg_status jtgi_cipher_open(const unsigned char key[JTGI_SECRET_BYTES],
                            const unsigned char nonce[JTGI_CIPHER_NONCE_BYTES],
                            const struct jtgi_bound *bound, struct jtgi_span sealed,
                            unsigned char *plain)
{
    unsigned char rest[BLOCK_BYTES];
    unsigned char tag[JTGI_CIPHER_TAG_BYTES];
    int done = 0;
    if (sealed.len < sizeof tag)
        return JTG_MISMATCH;
    if (!is_fetched() || !fits(bound, sealed.len))
        return JTG_ERR_SYSTEM;
    EVP_CIPHER_CTX *context = new_context();
    if (context == NULL)
        return JTG_ERR_MEMORY;
    struct jtgi_span body = {sealed.data, sealed.len - sizeof tag};
    memcpy(tag, (const unsigned char *)sealed.data + body.len, sizeof tag);
    bool good = start(context, key, nonce, 0) && work(context, bound, plain, body) &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1;
    bool authentic = good && EVP_CipherFinal_ex(context, rest, &done) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!authentic)
        OPENSSL_cleanse(plain, body.len);
    return authentic ? JTG_OK : good ? JTG_MISMATCH : JTG_ERR_SYSTEM;
}

/* ---- keys ---- */

/* OpenSSL's parameters are not const, and it changes none of these. */
static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
    union {
        const void *given;
        void *taken;
    } bytes = {data};
    return OSSL_PARAM_construct_octet_string(name, bytes.taken, len);
}

static bool expand(EVP_KDF_CTX *context, const unsigned char *key, struct jtgi_span info,
                   unsigned char *derived, size_t len)
{
    char digest[] = "SHA256";
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, key, JTGI_SECRET_BYTES),
        octets(OSSL_KDF_PARAM_INFO, info.data, info.len),
        OSSL_PARAM_construct_end(),
    };
    return EVP_KDF_derive(context, derived, len, parameters) == 1;
}

jtg_status jtgi_cipher_derive(const unsigned char key[JTGI_SECRET_BYTES], const char *label,
                              struct jtgi_span context, unsigned char *derived, size_t len)
{
    unsigned char info[2 * LABEL_MAX_BYTES + 1];
    size_t label_len = strlen(label) + 1;
    if (!is_fetched() || label_len + context.len > sizeof info)
        return JTG_ERR_SYSTEM;
    memcpy(info, label, label_len);
    if (context.len != 0)
        memcpy(info + label_len, context.data, context.len);
    EVP_KDF_CTX *kdf = jtgi_alloc_permitted() ? EVP_KDF_CTX_new(hkdf) : NULL;
    if (kdf == NULL)
        return JTG_ERR_MEMORY;
    struct jtgi_span whole = {info, label_len + context.len};
    bool good = expand(kdf, key, whole, derived, len);
    EVP_KDF_CTX_free(kdf);
    return good ? JTG_OK : JTG_ERR_SYSTEM;
}

/* 32 random bytes hold 30 different ones; fewer than 12 is rarer than one in 2^80. A run of equal
 * steps is what a counter or a test's key looks like. What it decides is public: a key that is
 * refused is never used. */
bool jtgi_secret_is_weak(const unsigned char secret[JTGI_SECRET_BYTES])
{
    enum { LEAST_DIFFERENT = 12 };
    bool seen[UCHAR_MAX + 1] = {false};
    unsigned different = 0;
    bool is_sequence = true;
    for (unsigned i = 0; i < JTGI_SECRET_BYTES; i++) {
        different += !seen[secret[i]];
        seen[secret[i]] = true;
        if (i >= 2)
            is_sequence = is_sequence && (unsigned char)(secret[i] - secret[i - 1]) ==
                                             (unsigned char)(secret[i - 1] - secret[i - 2]);
    }
    OPENSSL_cleanse(seen, sizeof seen);
    return different < LEAST_DIFFERENT || is_sequence;
}
