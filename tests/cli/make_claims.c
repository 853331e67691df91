/* SPDX-License-Identifier: Apache-2.0 */
/* make_claims LINES EXP: so many claims on stdout, every tenth one of them a replay, by turns of
 * a token just before and of one from the middle of what was written so far. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Never a multiple of ten, so what is repeated is itself no repetition; and an even and an odd
 * turn never repeat the same one, for then a count would be wrong. */
static uint64_t token_of_line(uint64_t line)
{
    if (line % 10 != 0)
        return line;
    return line % 20 == 0 ? line / 2 + 1 : line - 5;
}

static void print_claims(uint64_t token, uint64_t exp)
{
    (void)printf("{\"iss\":\"https://issuer-%" PRIu64 ".example\",\"sub\":\"repo:team/app-%" PRIu64
                 ":ref:refs/heads/main\",\"aud\":\"https://deploy.example\",\"jti\":\"%08" PRIx64
                 "-5f0c-4a9e-8b1d-2c7e6d%06" PRIx64 "\",\"iat\":%" PRIu64 ",\"nbf\":%" PRIu64
                 ",\"exp\":%" PRIu64 ",\"run_id\":\"%" PRIu64
                 "\",\"ref\":\"refs/heads/main\",\"event_name\":\"push\"}\n",
                 token % 7, token % 101, token * 2654435761U % 4294967296U, token, exp - 3600,
                 exp - 3600, exp, token);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    uint64_t lines = strtoull(argv[1], NULL, 10);
    uint64_t exp = strtoull(argv[2], NULL, 10);
    for (uint64_t line = 1; line <= lines; line++)
        print_claims(token_of_line(line), exp);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
