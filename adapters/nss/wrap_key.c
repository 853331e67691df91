/* SPDX-License-Identifier: Apache-2.0 */
/* NSS wraps a session's secret in the slot where the secret is, and with the mechanism of the key
 * that it finds there: AES, as blocks of their own, which is enough for what is random. Which slot
 * it is depends on how NSS was initialised, so both of its own get the key. */
#include "adapters/error.h"
#include "adapters/nss/nss_error.h"

#include <jtiguard/dtls_sessions_nss.h>
#include <jtiguard/status.h>
#include <pk11pub.h>
#include <string.h>

static jtg_status install(PK11SlotInfo *slot, SECItem *key, jtg_error *err)
{
    int index = PK11_GetCurrentWrapIndex(slot);
    PK11SymKey *earlier =
        PK11_GetWrapKey(slot, index, CKM_INVALID_MECHANISM, PK11_GetSlotSeries(slot), NULL);
    if (earlier != NULL) {
        PK11_FreeSymKey(earlier);
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "NSS has a key already: call this earlier");
    }
    PK11SymKey *made = PK11_ImportSymKeyWithFlags(slot, CKM_AES_ECB, PK11_OriginUnwrap, CKA_WRAP,
                                                  key, CKF_WRAP | CKF_UNWRAP, PR_FALSE, NULL);
    if (made == NULL)
        return jtgi_nss_error_set(err, "cannot import the key");
    PK11_SetWrapKey(slot, index, made);
    PK11_FreeSymKey(made);
    return JTG_OK;
}

jtg_status jtg_dtls_sessions_nss_share(const void *key, jtg_error *err)
{
    unsigned char copy[JTG_DTLS_SESSIONS_NSS_KEY_BYTES];
    SECItem item = {siBuffer, copy, sizeof copy};
    jtgi_adapter_error_begin(err);
    if (key == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "key is NULL");
    PK11SlotInfo *slots[] = {PK11_GetInternalSlot(), PK11_GetInternalKeySlot()};
    jtg_status status = JTG_OK;
    if (slots[0] == NULL || slots[1] == NULL)
        status = jtgi_nss_error_set(err, "no slots: is it initialised?");
    memcpy(copy, key, sizeof copy);
    for (int i = 0; i < 2 && status == JTG_OK; i++)
        if (i == 0 || slots[1] != slots[0])
            status = install(slots[i], &item, err);
    explicit_bzero(copy, sizeof copy);
    for (int i = 0; i < 2; i++)
        if (slots[i] != NULL)
            PK11_FreeSlot(slots[i]);
    return status;
}
