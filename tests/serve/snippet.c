/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/snippet.h"

#include "serve/signer.h"
#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path)
{
    size_t size = 1 << 20;
    char *text = calloc(1, size);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(text);
    assert_in_range(fread(text, 1, size - 1, file), 1, size - 2);
    (void)fclose(file);
    return text;
}

char *snippet_read(const char *name)
{
    char mark[64];
    char *page = read_file(JTIGUARD_PROXIES);
    (void)snprintf(mark, sizeof mark, "<!-- tested: %s -->\n```", name);
    char *start = strstr(page, mark);
    if (start == NULL)
        fail_msg("no snippet %s", name);
    start = strchr(start + strlen(mark), '\n') + 1;
    char *end = strstr(start, "\n```\n");
    assert_non_null(end);
    end[1] = '\0';
    char *text = strdup(start);
    assert_non_null(text);
    free(page);
    return text;
}

char *snippet_replace(char *text, const char *from, const char *to)
{
    char *at = strstr(text, from);
    if (at == NULL)
        fail_msg("%s is not in:\n%s", from, text);
    char *result = text_of("%s", "");
    for (char *rest = text; rest != NULL; rest = at) {
        at = strstr(rest, from);
        char *longer = text_of("%s%.*s%s", result, at != NULL ? (int)(at - rest) : -1, rest,
                               at != NULL ? to : "");
        free(result);
        result = longer;
        at = at != NULL ? at + strlen(from) : NULL;
    }
    free(text);
    return result;
}

void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}
