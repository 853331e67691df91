/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator does who has just set a store up: say that it has forgotten nothing. */
#ifndef TESTS_SUPPORT_REDIS_VOUCH_H
#define TESTS_SUPPORT_REDIS_VOUCH_H

/* The URI with the prefix of those who will use it. */
void redis_vouch(const char *uri);

#endif
