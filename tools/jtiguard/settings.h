/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line and the environment ask for. Texts point into argv. */
#ifndef TOOL_SETTINGS_H
#define TOOL_SETTINGS_H

#include <jtiguard/guard.h>
#include <jtiguard/memory.h>

struct jtg_redis_uri;

/* A memory store: 16 Mi tokens at once, taken as they come. */
#define TOOL_MAX_ENTRIES_DEFAULT UINT64_C(16777216)

/* A margin of none was not asked for: it may be asked for as 0. */
#define TOOL_MARGIN_NOT_GIVEN UINT32_MAX

enum {
    TOOL_THREADS_DEFAULT = 1,
    TOOL_THREADS_LIMIT = 64,
    TOOL_LINE_BYTES_DEFAULT = 1048576,
    TOOL_LINE_BYTES_LIMIT = 67108864
};

/* Where tokens are remembered when nobody says. */
enum store_default {
    STORE_DEFAULT_MEMORY, /* An audit: begins and ends with the process. */
    STORE_DEFAULT_HOST,   /* The host's store, or an error. */
    STORE_DEFAULT_EITHER  /* The host's store where there can be one, else memory. */
};

struct settings {
    /* The guard and its store. */
    const char
        *store; /* As given: it may hold a password, so it is never shown. NULL: not given. */
    enum store_default store_default;
    struct jtg_redis_uri *uri; /* What it says, from store_settle(); NULL: the memory store. */
    const char *store_prefix;  /* Start of every key in the store before the guard's; NULL: none. */
    jtg_guard_options guard;
    bool key_form_given;
    jtg_memory_options memory; /* max_entries 0: not given. */
    int64_t now_ms;            /* JTG_TIME_ABSENT: the clock of the host. */
    const jtg_logger *logger;  /* Where the store logs; NULL: stderr. */

    /* Who may use a host store that is made, and what it holds beside tokens. NULL, 0: not given.
     */
    struct {
        const char *owner;
        const char *group;
        uint64_t max_values;
        uint64_t max_value_bytes;
    } host;

    /* The tokens. */
    jtg_claims claims;   /* As the options give them. */
    uint64_t ttl_s;      /* 0: not given. */
    uint64_t lifetime_s; /* the same */
    jtg_owner owner;
    bool owner_given;

    /* The work and its output. */
    uint64_t threads;
    uint64_t max_line_bytes;
    bool json;
    bool quiet;
    bool report;
    bool strict;
    const char *user; /* For whom `acl` prints. NULL: not given. */
    int64_t since_ms; /* For `vouch`. JTG_TIME_ABSENT: ever. */
    bool yes;

    /* The break-glass token. */
    struct {
        const char *key_file;   /* NULL: not given. */
        const char *audit_file; /* NULL: standard error. */
        const char *name;       /* Of the place. NULL: the library's default. */
        uint64_t ttl_s;         /* 0: the library's default. */
        uint32_t max_uses;      /* 0: no limit. */
        bool replace;
    } breakglass;

    /* Session ticket keys. A duration of 0: the library's default. */
    struct {
        const char *zone;           /* NULL: the library's default. */
        const char *kek_file;       /* NULL: not given. */
        const char *kek_file_other; /* NULL: none. */
        uint32_t rotation_s;
        uint32_t lifetime_s;
        uint32_t refresh_interval_s;
        uint32_t publish_lead_s;
        uint32_t margin_s; /* TOOL_MARGIN_NOT_GIVEN: the library's default. */
        bool single_instance;
    } ticket_keys;
};

void settings_init(struct settings *settings);

/* What of the settings does not go together, in words; NULL when all does. */
const char *settings_conflict(const struct settings *settings);

/* Whether options give claims that standard input could give as well. */
bool settings_give_claims(const struct settings *settings);

#endif
