/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_CHALLENGES_CHALLENGE_OPTIONS_H
#define JTGI_TOKENS_CHALLENGES_CHALLENGE_OPTIONS_H

#include <jtiguard/challenges.h>

/* Read a caller's options, or the defaults where given is NULL, and check each that stands by
 * itself: the numbers, the name (set also where the caller gives none) and the secret. */
jtg_status jtgi_challenges_options_read(jtg_challenges_options *options,
                                        const jtg_challenges_options *given, jtg_error *err);

#endif
