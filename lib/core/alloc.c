/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alloc.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static bool (*failure_hook)(void);

void jtgi_alloc_set_failure(bool (*should_fail)(void))
{
    failure_hook = should_fail;
}

bool jtgi_alloc_permitted(void)
{
    return failure_hook == NULL || !failure_hook();
}

void *jtgi_alloc(size_t size)
{
    return jtgi_alloc_permitted() ? calloc(1, size) : NULL;
}

void *jtgi_alloc_apart(size_t size)
{
    size_t spare = JTGI_PLACE_BYTES - 1;
    if (size > SIZE_MAX - spare || !jtgi_alloc_permitted())
        return NULL;
    size_t whole = (size + spare) / JTGI_PLACE_BYTES * JTGI_PLACE_BYTES;
    void *memory = aligned_alloc(JTGI_PLACE_BYTES, whole);
    return memory == NULL ? NULL : memset(memory, 0, whole);
}

void jtgi_free(void *memory)
{
    free(memory);
}

void jtgi_free_wiped(void *memory, size_t size)
{
    if (memory == NULL)
        return;
    sodium_memzero(memory, size);
    free(memory);
}

void *jtgi_secret_alloc(size_t size)
{
    void *memory = jtgi_alloc_permitted() ? sodium_malloc(size) : NULL;
    if (memory != NULL)
        sodium_memzero(memory, size);
    return memory;
}

void jtgi_secret_free(void *memory)
{
    sodium_free(memory);
}

char *jtgi_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = jtgi_alloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void *jtgi_map(size_t size)
{
    if (!jtgi_alloc_permitted())
        return NULL;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void jtgi_unmap(void *pages, size_t size)
{
    if (pages != NULL)
        (void)munmap(pages, size);
}
