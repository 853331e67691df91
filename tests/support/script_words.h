/* SPDX-License-Identifier: Apache-2.0 */
/* Short words for the steps of a scripted server, for tests that consist of them. */
#ifndef TESTS_SUPPORT_SCRIPT_WORDS_H
#define TESTS_SUPPORT_SCRIPT_WORDS_H

#include "support/scripted_server.h"

/* clang-format off: one line a word */
#define SEND(bytes)                                                                                \
    {                                                                                              \
        SCRIPT_SEND, bytes, 0                                                                      \
    }
#define SEAL                                                                                       \
    {                                                                                              \
        SCRIPT_SEND_SEAL, NULL, 0                                                                  \
    }
#define ACCEPT                                                                                     \
    {                                                                                              \
        SCRIPT_ACCEPT, NULL, 0                                                                     \
    }
#define WAIT(ms)                                                                                   \
    {                                                                                              \
        SCRIPT_WAIT, NULL, ms                                                                      \
    }
#define CLOSE                                                                                      \
    {                                                                                              \
        SCRIPT_CLOSE, NULL, 0                                                                      \
    }
#define CLOSED                                                                                     \
    {                                                                                              \
        SCRIPT_EXPECT_CLOSE, NULL, 0                                                               \
    }
#define RESET                                                                                      \
    {                                                                                              \
        SCRIPT_RESET, NULL, 0                                                                      \
    }
#define DEAF                                                                                       \
    {                                                                                              \
        SCRIPT_DEAF, NULL, 0                                                                       \
    }
/* clang-format on */

#endif
