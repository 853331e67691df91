/* SPDX-License-Identifier: Apache-2.0 */
#include "findings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *to_json(const struct finding *finding)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "check", finding->check, "level",
                     finding_level_name(finding->level), "value", finding->value, "meaning",
                     finding->meaning, "advice", finding->advice);
}

static json_t *list_to_json(const struct findings *findings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count && list != NULL; i++)
        if (json_array_append_new(list, to_json(&findings->list[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static bool write_json(struct bytes *out, const char *store, const struct findings *findings)
{
    json_t *all = json_pack("{s:s, s:o, s:s}", "store", store, "findings", list_to_json(findings),
                            "verdict", findings_verdict(findings));
    char *text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
    bool good = text != NULL && bytes_append_text(out, text) && bytes_append_text(out, "\n");
    free(text);
    json_decref(all);
    return good;
}

/* Beyond what is fine, people are told what it means and what to do. */
static bool write_one(struct bytes *out, const struct finding *finding)
{
    char head[FINDING_VALUE_BYTES + 64];
    (void)snprintf(head, sizeof head, "%-8s %-12s %s\n", finding_level_name(finding->level),
                   finding->check, finding->value);
    bool good = bytes_append_text(out, head);
    if (good && finding->level > LEVEL_OK)
        good = bytes_append_text(out, "         ") && bytes_append_text(out, finding->meaning) &&
               bytes_append_text(out, "\n");
    if (good && finding->level > LEVEL_OK && *finding->advice != '\0')
        good = bytes_append_text(out, "         -> ") && bytes_append_text(out, finding->advice) &&
               bytes_append_text(out, "\n");
    return good;
}

static bool write_text(struct bytes *out, const char *store, const struct findings *findings)
{
    bool good = bytes_append_text(out, "store: ") && bytes_append_text(out, store) &&
                bytes_append_text(out, "\nverdict: ") &&
                bytes_append_text(out, findings_verdict(findings)) && bytes_append_text(out, "\n");
    for (size_t i = 0; i < findings->count && good; i++)
        good = write_one(out, &findings->list[i]);
    return good;
}

bool findings_write(struct bytes *out, bool json, const char *store,
                    const struct findings *findings)
{
    return json ? write_json(out, store, findings) : write_text(out, store, findings);
}
