/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/witnesses.h"

#include "core/alloc.h"

#include <string.h>

void jtgi_witnesses_clear(struct jtgi_witnesses *witnesses)
{
    for (unsigned i = 0; i < witnesses->count; i++)
        jtgi_free(witnesses->list[i]);
    witnesses->count = 0;
}

static bool is_known(const struct jtgi_witnesses *witnesses, const char *run_id)
{
    for (unsigned i = 0; i < witnesses->count; i++)
        if (strcmp(witnesses->list[i]->run_id, run_id) == 0)
            return true;
    return witnesses->count == JTGI_WITNESSES_MAX;
}

bool jtgi_witnesses_add(struct jtgi_witnesses *witnesses, const struct jtgi_address *address,
                        const char *run_id, const struct jtgi_node_ids *ids)
{
    if (is_known(witnesses, run_id))
        return true;
    struct jtgi_witness *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return false;
    made->address = *address;
    memcpy(made->run_id, run_id, strnlen(run_id, sizeof made->run_id - 1));
    made->ids = *ids;
    witnesses->list[witnesses->count++] = made;
    return true;
}

static unsigned count_agreeing(const struct jtgi_witnesses *witnesses,
                               const struct jtgi_witness *to)
{
    unsigned agreeing = 1;
    for (unsigned i = 0; i < witnesses->count; i++)
        agreeing +=
            witnesses->list[i] != to && jtgi_node_ids_agree(&witnesses->list[i]->ids, &to->ids);
    return agreeing;
}

const struct jtgi_witness *jtgi_witnesses_best(const struct jtgi_witnesses *witnesses,
                                               unsigned *agreeing)
{
    const struct jtgi_witness *best = NULL;
    *agreeing = 0;
    for (unsigned i = 0; i < witnesses->count; i++) {
        unsigned here = count_agreeing(witnesses, witnesses->list[i]);
        if (here > *agreeing) {
            *agreeing = here;
            best = witnesses->list[i];
        }
    }
    return best;
}

const struct jtgi_witness *jtgi_witnesses_stranger(const struct jtgi_witnesses *witnesses,
                                                   const struct jtgi_witness *to)
{
    for (unsigned i = 0; i < witnesses->count; i++)
        if (witnesses->list[i] != to && !jtgi_node_ids_agree(&witnesses->list[i]->ids, &to->ids))
            return witnesses->list[i];
    return NULL;
}
