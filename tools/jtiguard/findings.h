/* SPDX-License-Identifier: Apache-2.0 */
/* What `jtiguard doctor` found, one finding a check. No finding holds a secret. */
#ifndef TOOL_FINDINGS_H
#define TOOL_FINDINGS_H

#include "bytes.h"

#include <jtiguard/status.h>

/* From good to bad. */
enum finding_level {
    LEVEL_OK,
    LEVEL_NOTE,    /* Good to know. */
    LEVEL_WARNING, /* Works now; the promise hangs on something that may not hold. */
    LEVEL_FAILURE  /* Cannot be used, or has broken or will break the promise. */
};

enum { FINDINGS_MAX = 32, FINDING_VALUE_BYTES = JTG_ERROR_TEXT_BYTES };

struct finding {
    const char *check; /* Name for machines. */
    enum finding_level level;
    char value[FINDING_VALUE_BYTES]; /* What was seen. */
    const char *meaning;             /* For the promise. */
    const char *advice;              /* What to do; empty where there is nothing to do. */
};

struct findings {
    struct finding list[FINDINGS_MAX];
    size_t count;
};

/* What was seen comes as a format; meaning and advice are static. */
JTG_PRINTF(6, 7)
void findings_add(struct findings *findings, const char *check, enum finding_level level,
                  const char *meaning, const char *advice, const char *format, ...);

/* LEVEL_OK when there are none. */
enum finding_level findings_worst(const struct findings *findings);

/* "ok", "note", "warning" or "failure". */
const char *finding_level_name(enum finding_level level);

/* What all of them together say: "ok", "warning" or "failure". */
const char *findings_verdict(const struct findings *findings);

/* As text, or as one JSON object. store: its kind. false when memory is out. */
bool findings_write(struct bytes *out, bool json, const char *store,
                    const struct findings *findings);

#endif
