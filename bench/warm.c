/* SPDX-License-Identifier: Apache-2.0 */
#include "warm.h"

#include <stddef.h>
#include <sys/mman.h>

enum {
    BYTES_AN_ENTRY = 128, /* of the larger table, the chained one */
    PAGE_BYTES = 4096
};

void bench_warm_memory(uint64_t entries)
{
    uint64_t bytes = entries * BYTES_AN_ENTRY;
    unsigned char *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        return;
    (void)madvise(pages, bytes, MADV_HUGEPAGE);
    for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
        *(volatile unsigned char *)(pages + at) = 1;
    (void)munmap(pages, bytes);
}
