/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench redis` in a build that cannot do it. */
#include "bench.h"

#include <stdio.h>

int bench_redis_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fputs("jtiguard bench redis: this build has no Redis (JTIGUARD_REDIS is off)\n", stderr);
    return BENCH_USAGE;
}
