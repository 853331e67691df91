/* SPDX-License-Identifier: Apache-2.0 */
/* What the code says of reasons, statuses and settings, for check-reference to compare with
 * docs/reference: one row a line, columns apart by tabs. */
#include "serve/answer/outcome.h"
#include "serve/settings/service_options.h"
#include "serve/settings/service_settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Who gives a reason, and so where it can be met. */
static const char *source_of(size_t index)
{
    if (index < (size_t)JTG_REASON_COUNT)
        return "guard";
    if (index < (size_t)REASON_INDEXES)
        return "tool";
    return index < (size_t)REASON_INDEXES + (size_t)REFUSAL_COUNT ? "verifier" : "service";
}

static void print_reason(size_t index)
{
    enum outcome outcome = outcome_at(index);
    const char *source = source_of(index);
    bool of_tool = index < (size_t)REASON_INDEXES;
    printf("reason\t%s\t%s\t%s\t%u\t%u\t", outcome_name(outcome), source,
           jtg_verdict_name(outcome_verdict(outcome)), outcome_check_status(outcome),
           outcome_api_status(outcome));
    if (of_tool)
        printf("%d\n", (int)reason_exit_code((int)outcome));
    else
        printf("-\n");
}

static void print_reasons(void)
{
    for (size_t i = 0; i < OUTCOME_INDEXES; i++)
        if (outcome_at(i) != (enum outcome)(OUTCOME_REFUSAL_FIRST + (int)REFUSAL_NONE))
            print_reason(i);
}

static void print_number(const struct service_row *row, const struct service_settings *settings)
{
    const void *place = (const char *)settings + row->offset;
    uint32_t small = 0;
    uint64_t great = 0;
    if (row->plain == VALUE_COUNT64)
        memcpy(&great, place, sizeof great);
    else
        memcpy(&small, place, sizeof small);
    printf("%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, great + small, row->min, row->max);
}

/* What a value is, with its default and its range where it is a number. */
static void print_type(const struct service_row *row, const struct service_settings *settings)
{
    if (row->type != SERVICE_PLAIN || row->plain == VALUE_STRING || row->plain == VALUE_KEY_FORM) {
        printf("%s\t\t\t", row->argument != NULL ? row->argument : "yes or no");
        return;
    }
    printf("%s\t", row->plain == VALUE_SECONDS32 ? "seconds" : "number");
    print_number(row, settings);
}

/* The help says a default in its last brackets; its lines are joined. */
static void print_help(const char *help)
{
    for (; *help != '\0'; help++)
        if (*help != '\n')
            (void)putchar(*help);
    (void)putchar('\n');
}

static void print_settings(void)
{
    struct service_settings settings = service_settings_default();
    for (size_t i = 0; i < service_row_count; i++) {
        const struct service_row *row = &service_rows[i];
        printf("setting\t%s\t%s\t", row->name,
               (row->marks & SERVICE_FIXED) != 0 ? "restart" : "reload");
        print_type(row, &settings);
        printf("\t");
        print_help(row->help);
    }
}

int main(void)
{
    print_reasons();
    print_settings();
    for (int i = 0; i < JTG_STATUS_COUNT; i++)
        printf("status\t%s\t%s\n", jtg_status_name((jtg_status)i), jtg_status_text((jtg_status)i));
    return fflush(stdout) == 0 ? 0 : 1;
}
