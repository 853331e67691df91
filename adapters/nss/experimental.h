/* SPDX-License-Identifier: Apache-2.0 */
/* NSS's experimental functions are macros that make functions of data pointers, which POSIX allows
 * and ISO C does not. */
#ifndef JTGI_ADAPTERS_NSS_EXPERIMENTAL_H
#define JTGI_ADAPTERS_NSS_EXPERIMENTAL_H

#include <ssl.h>
#include <sslexp.h>

#pragma GCC diagnostic ignored "-Wpedantic"

#endif
