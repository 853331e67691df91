/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/hello_layer.h"

#include <prerror.h>
#include <prinit.h>
#include <stdlib.h>
#include <string.h>

/* Made once, before the first layer; only read from then on. */
static PRDescIdentity identity;
static PRIOMethods methods;
static PRCallOnceType once;

static void keep(struct jtgi_hello_layer *layer, const void *bytes, PRInt32 len)
{
    if (layer->bytes == NULL || len <= 0)
        return;
    if ((layer->datagram && layer->datagram_count == JTGI_HELLO_PIECES_MAX) ||
        (size_t)len > JTGI_HELLO_BYTES - layer->len) {
        layer->overrun = true;
        return;
    }
    memcpy(layer->bytes + layer->len, bytes, (size_t)len);
    layer->len += (size_t)len;
    if (layer->datagram)
        layer->datagrams[layer->datagram_count++] = (size_t)len;
}

static struct jtgi_hello_layer *layer_of(const PRFileDesc *fd)
{
    return (struct jtgi_hello_layer *)(void *)fd->secret;
}

static PRInt32 layer_recv(PRFileDesc *fd, void *bytes, PRInt32 size, PRIntn flags,
                          PRIntervalTime timeout)
{
    PRInt32 len = fd->lower->methods->recv(fd->lower, bytes, size, flags, timeout);
    if ((flags & PR_MSG_PEEK) == 0)
        keep(layer_of(fd), bytes, len);
    return len;
}

static PRInt32 layer_read(PRFileDesc *fd, void *bytes, PRInt32 size)
{
    PRInt32 len = fd->lower->methods->read(fd->lower, bytes, size);
    keep(layer_of(fd), bytes, len);
    return len;
}

/* NSS has popped itself: this is the top now, and goes too. */
static PRStatus layer_close(PRFileDesc *fd)
{
    struct jtgi_hello_layer *layer = layer_of(fd);
    PRFileDesc *popped = PR_PopIOLayer(fd, PR_TOP_IO_LAYER);
    jtgi_hello_layer_done(layer);
    free(layer);
    popped->secret = NULL;
    popped->dtor(popped);
    return fd->methods->close(fd);
}

static PRStatus prepare(void)
{
    identity = PR_GetUniqueIdentity("jtiguard");
    methods = *PR_GetDefaultIOMethods();
    methods.recv = layer_recv;
    methods.read = layer_read;
    methods.close = layer_close;
    return identity == PR_INVALID_IO_LAYER ? PR_FAILURE : PR_SUCCESS;
}

/* The socket's type; NSS's own layer says "layered". */
static bool is_datagram(PRFileDesc *fd)
{
    PRFileDesc *lowest = PR_GetIdentitiesLayer(fd, PR_NSPR_IO_LAYER);
    return lowest != NULL && PR_GetDescType(lowest) == PR_DESC_SOCKET_UDP;
}

static struct jtgi_hello_layer *make(PRFileDesc *fd, const void *owner)
{
    struct jtgi_hello_layer *layer = calloc(1, sizeof *layer);
    unsigned char *bytes = malloc(JTGI_HELLO_BYTES);
    if (layer == NULL || bytes == NULL) {
        free(layer);
        free(bytes);
        PR_SetError(PR_OUT_OF_MEMORY_ERROR, 0);
        return NULL;
    }
    layer->owner = owner;
    layer->datagram = is_datagram(fd);
    layer->bytes = bytes;
    return layer;
}

struct jtgi_hello_layer *jtgi_hello_layer_push(PRFileDesc *fd, const void *owner)
{
    if (PR_CallOnce(&once, prepare) != PR_SUCCESS)
        return NULL;
    if (PR_GetIdentitiesLayer(fd, identity) != NULL) {
        PR_SetError(PR_INVALID_STATE_ERROR, 0);
        return NULL;
    }
    struct jtgi_hello_layer *layer = make(fd, owner);
    PRFileDesc *stub = layer != NULL ? PR_CreateIOLayerStub(identity, &methods) : NULL;
    if (stub != NULL) {
        stub->secret = (PRFilePrivate *)(void *)layer;
        if (PR_PushIOLayer(fd, PR_NSPR_IO_LAYER, stub) == PR_SUCCESS)
            return layer;
        stub->dtor(stub);
    }
    if (layer != NULL)
        jtgi_hello_layer_done(layer);
    free(layer);
    return NULL;
}

void jtgi_hello_layer_done(struct jtgi_hello_layer *layer)
{
    free(layer->bytes);
    layer->bytes = NULL;
}
