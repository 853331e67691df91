/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor asks of this host's store. */
#ifndef TOOL_DOCTOR_HOST_H
#define TOOL_DOCTOR_HOST_H

#include "findings.h"
#include "settings.h"

/* Makes no store, and changes none but for a probe that it gives back. */
void examine_host(struct findings *findings, const struct settings *settings);

#endif
