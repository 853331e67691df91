/* SPDX-License-Identifier: Apache-2.0 */
#include "host/header.h"

#include <string.h>

static const char magic[8] = "jtgstore";
static const uint32_t byte_order = UINT32_C(0x01020304);

void jtgi_host_header_fill(struct jtgi_host_header *header, const struct jtgi_host_facts *facts,
                           const struct jtgi_host_identity *identity)
{
    memcpy(header->magic, magic, sizeof magic);
    header->layout = JTGI_HOST_LAYOUT;
    header->byte_order = byte_order;
    header->bytes = facts->bytes;
    header->inode = facts->inode;
    header->born_ns = facts->born_ns;
    header->identity = *identity;
    atomic_store(&header->since_ms, JTGI_HOST_UNDATED);
    atomic_store(&header->offset_ms, INT64_MIN);
}

bool jtgi_host_header_is_ours(const struct jtgi_host_header *header)
{
    return memcmp(header->magic, magic, sizeof magic) == 0;
}

const char *jtgi_host_header_judge(const struct jtgi_host_header *header,
                                   const struct jtgi_host_facts *facts,
                                   const struct jtgi_host_identity *identity)
{
    if (!jtgi_host_header_is_ours(header))
        return "it is no store";
    if (header->layout != JTGI_HOST_LAYOUT || header->byte_order != byte_order)
        return "its layout is of another version or machine";
    if (header->bytes != facts->bytes)
        return "it was truncated or extended";
    if (header->inode != facts->inode || header->born_ns != facts->born_ns)
        return "it is a copy of another file";
    if (strncmp(header->identity.boot, identity->boot, sizeof identity->boot) != 0)
        return "it is of an earlier boot";
    if (header->identity.time_namespace != identity->time_namespace)
        return "it is of another time namespace, whose clock differs";
    return NULL;
}
