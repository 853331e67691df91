/* SPDX-License-Identifier: Apache-2.0 */
/* Where the compiler has no libFuzzer: the inputs of the folders that are named, and random
 * changes of them. Finds less, but runs in every build. */
#include "support/random.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { MAX_SEEDS = 64, MAX_BYTES = 4096, RUNS = 20000 };

static uint8_t seeds[MAX_SEEDS][MAX_BYTES];
static size_t seed_lens[MAX_SEEDS];
static size_t seed_count;

static void read_seed(const char *folder, const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = name[0] == '.' || seed_count == MAX_SEEDS ? NULL : fopen(path, "rb");
    if (file == NULL)
        return;
    seed_lens[seed_count] = fread(seeds[seed_count], 1, MAX_BYTES, file);
    seed_count++;
    (void)fclose(file);
}

static void read_folder(const char *folder)
{
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL)
        return;
    for (struct dirent *entry = readdir(open_folder); entry != NULL; entry = readdir(open_folder))
        read_seed(folder, entry->d_name);
    (void)closedir(open_folder);
}

/* Change, remove or repeat a few bytes. */
static size_t change(struct random_source *source, uint8_t *data, size_t data_len)
{
    for (uint64_t left = random_below(source, 8); left > 0 && data_len > 1; left--) {
        size_t at = (size_t)random_below(source, data_len);
        size_t count = (size_t)random_below(source, data_len - at) + 1;
        switch (random_below(source, 4)) {
        case 0:
            memmove(data + at, data + at + count, data_len - at - count);
            data_len -= count;
            break;
        case 1:
            if (data_len + count <= MAX_BYTES) {
                memmove(data + at + count, data + at, data_len - at);
                data_len += count;
            }
            break;
        default:
            data[at] = (uint8_t)random_next(source);
        }
    }
    return data_len;
}

int main(int argc, char **argv)
{
    struct random_source source;
    uint64_t seed = random_seed();
    for (int i = 1; i < argc; i++)
        read_folder(argv[i]);
    (void)printf("JTIGUARD_TEST_SEED=%" PRIu64 ", %zu inputs\n", seed, seed_count);
    (void)fflush(stdout);
    random_init(&source, seed);
    for (size_t i = 0; i < seed_count; i++)
        (void)LLVMFuzzerTestOneInput(seeds[i], seed_lens[i]);
    for (unsigned run = 0; run < RUNS && seed_count > 0; run++) {
        uint8_t data[MAX_BYTES];
        size_t chosen = (size_t)random_below(&source, seed_count);
        memcpy(data, seeds[chosen], seed_lens[chosen]);
        (void)LLVMFuzzerTestOneInput(data, change(&source, data, seed_lens[chosen]));
    }
    return seed_count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
