/* SPDX-License-Identifier: Apache-2.0 */
/* What the value of an option may be, and how it is read into the settings. */
#ifndef TOOL_OPTION_VALUES_H
#define TOOL_OPTION_VALUES_H

#include "settings.h"

enum value_type {
    VALUE_FLAG,       /* None: sets a bool. */
    VALUE_FLAG32,     /* None: sets a uint32_t to 1. */
    VALUE_SECONDS32,  /* A duration, into a uint32_t of seconds. */
    VALUE_SECONDS64,  /* The same, into a uint64_t. */
    VALUE_COUNT32,    /* A whole number, into a uint32_t. */
    VALUE_COUNT64,    /* A whole number, into a uint64_t. */
    VALUE_STRING,     /* UTF-8, not empty, into a const char *. */
    VALUE_TEXT,       /* UTF-8, not empty, into a jtg_text. */
    VALUE_MOMENT,     /* A moment, into an int64_t of milliseconds. */
    VALUE_KIND,       /* Name of a token kind, into a jtg_kind. */
    VALUE_KEY_FORM,   /* digest or plain, into settings->guard. */
    VALUE_OWNER,      /* 32 hexadecimal digits, into settings->owner. */
    VALUE_OWNER_FROM, /* Any text, into settings->owner. */
};

struct option_row {
    const char *name;
    const char *argument; /* For the help; NULL: takes none. */
    unsigned commands;    /* Those that take it. */
    enum value_type type;
    size_t offset; /* In struct settings. */
    uint64_t min;  /* For counts and seconds. */
    uint64_t max;
    const char *help;
};

/* Read a value. Returns NULL, or what is wrong with it, without the value. */
const char *option_value_read(const struct option_row *row, const char *value,
                              struct settings *settings);

#endif
