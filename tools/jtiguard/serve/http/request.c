/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http/request.h"

#include "monotonic.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <strings.h>

/* From when on an end of the client's half is taken for the end of all of it. */
enum { LATE_MS = 1000 };

void request_clear(struct request *request)
{
    bytes_clear(&request->body);
    free(request->uri);
    request->uri = NULL;
}

struct one_header {
    const char *name;
    struct header_value value;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    size_t name_len, const char *value, size_t value_len)
{
    struct one_header *wanted = context;
    (void)kind;
    (void)name_len;
    if (strcasecmp(name, wanted->name) != 0)
        return MHD_YES;
    if (wanted->value.count++ == 0)
        wanted->value.text = (jtg_text){value != NULL ? value : "", value_len};
    return MHD_YES;
}

struct header_value request_header(const struct request *request, const char *name)
{
    struct one_header wanted = {name, {0, {NULL, 0}}};
    (void)MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, count_header, &wanted);
    return wanted.value;
}

struct peer request_peer(const struct request *request)
{
    if (request->is_local)
        return (struct peer){true, true, {0}};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return peer_from_socket(info != NULL ? info->client_addr : NULL);
}

bool request_has_left(const struct request *request)
{
    int64_t lay_ms = request->lay_ms > 0 ? request->lay_ms : 0;
    int64_t age_ms = lay_ms + (monotonic_ns() - request->began_ns) / 1000000;
    return connection_is_gone(request->connection, request->waited || age_ms >= LATE_MS);
}

void request_pause(void *context)
{
    MHD_suspend_connection(context);
}

void request_resume(void *context)
{
    MHD_resume_connection(context);
}
