/* SPDX-License-Identifier: Apache-2.0 */
/* docs/openapi.json, which the build makes a file of C of. */
#ifndef SERVE_OPENAPI_DOCUMENT_H
#define SERVE_OPENAPI_DOCUMENT_H

#include <stddef.h>

extern const unsigned char openapi_document[];
extern const size_t openapi_document_len;

#endif
