/* SPDX-License-Identifier: Apache-2.0 */
/** @file version.h
 * The version: of the headers as numbers, of the linked library as a string.
 * This is the one place where it is written; the build reads it from here.
 */
#ifndef JTIGUARD_VERSION_H
#define JTIGUARD_VERSION_H

#include <jtiguard/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JTG_VERSION_MAJOR 0
#define JTG_VERSION_MINOR 1
#define JTG_VERSION_PATCH 0

/** Version of the library that is linked, e.g. "0.1.0".
 *
 * Returns: borrowed, static.
 * Threads: any   Blocks: never
 */
JTG_API const char *jtg_version(void);

#ifdef __cplusplus
}
#endif
#endif
