/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/form_field.h"

#include <string.h>

jtg_kind form_field_kind(const char *name)
{
    if (strcmp(name, "logout_token") == 0)
        return JTG_KIND_LOGOUT_TOKEN;
    return strcmp(name, "client_assertion") == 0 ? JTG_KIND_CLIENT_ASSERTION : JTG_KIND_NONE;
}
