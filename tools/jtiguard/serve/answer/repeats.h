/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that are said again and again: a store that is down says why at each attempt, three times a
 * second. Each is said once in a while, with how often it was left out. Not for several threads. */
#ifndef SERVE_REPEATS_H
#define SERVE_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

enum { REPEATS_TEXTS = 8, REPEATS_TEXT_BYTES = 256, REPEATS_SILENT_S = 10 };

struct repeats {
    struct {
        char text[REPEATS_TEXT_BYTES]; /* "": free */
        int64_t said_ns;
        uint64_t left_out;
    } texts[REPEATS_TEXTS];
};

/* Whether to say it now; *left_out: how often it was not said since it was. */
bool repeats_say(struct repeats *repeats, const char *text, int64_t now_ns, uint64_t *left_out);

#endif
