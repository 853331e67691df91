/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/huge.h"

#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; older kernels answer EINVAL */
#endif

bool jtgi_huge_collapse(void *at)
{
    return madvise(at, JTGI_HUGE_BYTES, MADV_HUGEPAGE) == 0 &&
           madvise(at, JTGI_HUGE_BYTES, MADV_COLLAPSE) == 0;
}
