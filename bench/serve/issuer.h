/* SPDX-License-Identifier: Apache-2.0 */
/* An issuer of tokens with a key of its own, by cjose. What it signs is what `jtiguard serve` takes
 * with no settings but issuer, audience and keys. */
#ifndef BENCH_SERVE_ISSUER_H
#define BENCH_SERVE_ISSUER_H

#define BENCH_ISSUER_URL      "https://issuer.example"
#define BENCH_ISSUER_AUDIENCE "https://api.example"

struct bench_issuer;

/* alg: RS256 (2048 bits) or ES256. NULL when a key cannot be made. */
struct bench_issuer *bench_issuer_new(const char *alg);
void bench_issuer_free(struct bench_issuer *issuer);

/* Its public key as a JWK Set. The caller frees it; NULL: no memory. */
char *bench_issuer_keys(const struct bench_issuer *issuer);

/* An ID token with this jti, issued now. The caller frees it; NULL: it cannot be signed. */
char *bench_issuer_sign(const struct bench_issuer *issuer, const char *jti, long lifetime_s);

#endif
