/* SPDX-License-Identifier: Apache-2.0 */
#include "support/text_file.h"

#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>

char *text_file_read(const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *file = fopen(path, "r");
    char *text = calloc(1, MOST + 1);
    assert_non_null(file);
    assert_non_null(text);
    size_t len = fread(text, 1, MOST, file);
    assert_true(len < MOST && ferror(file) == 0);
    (void)fclose(file);
    return text;
}
