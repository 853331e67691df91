/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/witness.h"

#include "integration/store.h"

enum { PAUSE_MS = 5 };
#define MS_NS UINT64_C(1000000)

static void *watch(void *context)
{
    struct witness *witness = context;
    while (!atomic_load(&witness->over)) {
        struct history_record stall = {.op = HISTORY_STALL, .process = witness->process};
        uint64_t due_ns = history_now_ns() + PAUSE_MS * MS_NS;
        store_sleep_ms(PAUSE_MS);
        stall.invoke_ns = due_ns;
        stall.return_ns = history_now_ns();
        if (stall.return_ns > due_ns + PAUSE_MS * MS_NS && !history_append(witness->file, &stall))
            atomic_store(&witness->failed, true);
    }
    return NULL;
}

bool witness_start(struct witness *witness, const struct history_file *file, uint16_t process)
{
    witness->file = file;
    witness->process = process;
    atomic_init(&witness->over, false);
    atomic_init(&witness->failed, false);
    return pthread_create(&witness->id, NULL, watch, witness) == 0;
}

bool witness_stop(struct witness *witness)
{
    atomic_store(&witness->over, true);
    (void)pthread_join(witness->id, NULL);
    return !atomic_load(&witness->failed);
}
