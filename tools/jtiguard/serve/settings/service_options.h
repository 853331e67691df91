/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the service: one table says what each is called, what it takes, where it goes,
 * its help, and whether a running service can take a new value. */
#ifndef SERVE_SERVICE_OPTIONS_H
#define SERVE_SERVICE_OPTIONS_H

#include "option_values.h"

#include <stdio.h>

enum service_type {
    SERVICE_PLAIN,   /* read by the tool's option_value_read() */
    SERVICE_FLAG,    /* yes or no, into a bool */
    SERVICE_FLAG32,  /* the same, into a uint32_t */
    SERVICE_LIST,    /* texts, into a struct text_list; a flag may be repeated */
    SERVICE_CHOICE,  /* one of `choices`, its place into a uint32_t */
    SERVICE_LEVEL,   /* a jtg_log_level, into a uint32_t */
    SERVICE_OCTAL,   /* file permissions, into a uint32_t */
    SERVICE_ISSUER,  /* part of the one issuer that is told without a list (issuer_list.h) */
    SERVICE_ISSUERS, /* the list of issuers */
    SERVICE_CONFIG   /* the file of settings itself */
};

enum service_mark {
    SERVICE_FIXED = 1 << 0,  /* a running service keeps its value */
    SERVICE_SECRET = 1 << 1, /* never shown; may be named by x_file */
    SERVICE_MANY = 1 << 2    /* an ISSUER row that is a list */
};

struct service_row {
    const char *name; /* with '_', as in the file */
    const char *argument;
    enum service_type type;
    unsigned marks;
    enum value_type plain; /* for SERVICE_PLAIN */
    size_t offset;         /* in struct service_settings */
    uint64_t min;
    uint64_t max;
    const char *const *choices;
    const char *group; /* heading in the help; NULL: as the row before */
    const char *help;
};

extern const struct service_row service_rows[];
extern const size_t service_row_count;

/* A setting had another name once, which is understood for one more version. */
struct service_former {
    const char *name;
    const char *now;
};
extern const struct service_former service_formers[];
extern const size_t service_former_count;

/* What a setting is called now; any other name as it is. */
const char *service_name_now(const char *name);

/* The row of a name as in the file. NULL: none. */
const struct service_row *service_row_find(const char *name);

/* The row whose x_file this is. NULL: none. */
const struct service_row *service_row_of_file(const char *name);

bool service_row_is_list(const struct service_row *row);

/* "max_body_bytes" as "--max-body-bytes", "JTIGUARD_MAX_BODY_BYTES". */
enum { SERVICE_NAME_BYTES = 64 };
void service_name_as_flag(const char *name, char text[SERVICE_NAME_BYTES]);
void service_name_as_variable(const char *name, char text[SERVICE_NAME_BYTES]);

void service_options_print(FILE *out);

#endif
