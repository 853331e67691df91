/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/version.h>

#define TEXT_OF(token) #token
#define TEXT(macro)    TEXT_OF(macro)

const char *jtg_version(void)
{
    return TEXT(JTG_VERSION_MAJOR) "." TEXT(JTG_VERSION_MINOR) "." TEXT(JTG_VERSION_PATCH);
}
