/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench serve` in a build that cannot do it. */
#include "bench.h"

#include <stdio.h>

int bench_serve_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fputs("jtiguard bench serve: this build has no service (JTIGUARD_SERVE is off)\n", stderr);
    return BENCH_USAGE;
}
