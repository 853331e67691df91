/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a form that may hold a token. */
#ifndef SERVE_FORM_FIELD_H
#define SERVE_FORM_FIELD_H

#include <jtiguard/guard.h>

/* Of which kind the token of a field is. JTG_KIND_NONE: it is no such field. */
jtg_kind form_field_kind(const char *name);

#endif
