/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench`: what the library costs, measured on the machine that runs it. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

/* What a benchmark ends with; the numbers of the tool. */
enum { BENCH_DONE = 0, BENCH_USAGE = 2, BENCH_FAILED = 3 };

/* `jtiguard bench …`. argv[0] is "bench", argv[1] the subcommand. */
int jtiguard_bench_main(int argc, char **argv);

/* The subcommands. argv[0] is the subcommand's name. */
int bench_memory_main(int argc, char **argv);
int bench_redis_main(int argc, char **argv);
int bench_serve_main(int argc, char **argv);

#endif
