/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON is put together by hand: every text in it is a static name of letters and '_'. */
#include "verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

JTG_PRINTF(2, 3) static bool append(struct bytes *out, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return len >= 0 && (size_t)len < sizeof text && bytes_append(out, text, (size_t)len);
}

bool verdict_words_write(struct bytes *out, int reason)
{
    const char *verdict = jtg_verdict_name(reason_verdict(reason));
    switch (reason_verdict(reason)) {
    case JTG_VERDICT_ADMITTED:
        return bytes_append_text(out, verdict);
    case JTG_VERDICT_REPLAYED:
        return append(out, "%s (%s)", verdict, reason_text(reason));
    default:
        return append(out, "%s, %s (%s)", verdict, reason_name(reason), reason_text(reason));
    }
}

bool verdict_write(struct bytes *out, bool json, uint64_t line_number, int reason)
{
    if (json)
        return append(out, "{\"line\":%" PRIu64 ",\"verdict\":\"%s\",\"reason\":\"%s\"}\n",
                      line_number, jtg_verdict_name(reason_verdict(reason)), reason_name(reason));
    return append(out, "line %" PRIu64 ": ", line_number) && verdict_words_write(out, reason) &&
           bytes_append_text(out, "\n");
}

struct sums {
    uint64_t admitted;
    uint64_t replayed;
    uint64_t refused;
};

static struct sums sum_up(const struct tally *tally)
{
    return (struct sums){tally_of_verdict(tally, JTG_VERDICT_ADMITTED),
                         tally_of_verdict(tally, JTG_VERDICT_REPLAYED),
                         tally_of_verdict(tally, JTG_VERDICT_REFUSED)};
}

static bool write_json(struct bytes *out, const struct tally *tally)
{
    struct sums sums = sum_up(tally);
    bool good = append(out,
                       "{\"summary\":{\"admitted\":%" PRIu64 ",\"replayed\":%" PRIu64
                       ",\"refused\":%" PRIu64 ",\"reasons\":{",
                       sums.admitted, sums.replayed, sums.refused);
    const char *comma = "";
    for (size_t i = 0; i < REASON_INDEXES && good; i++) {
        if (tally->count[i] == 0)
            continue;
        good = append(out, "%s\"%s\":%" PRIu64, comma, reason_name(reason_at(i)), tally->count[i]);
        comma = ",";
    }
    return good && bytes_append_text(out, "}}}\n");
}

static bool write_text(struct bytes *out, const struct tally *tally)
{
    struct sums sums = sum_up(tally);
    bool good = append(out,
                       "%" PRIu64 " tokens: %" PRIu64 " admitted, %" PRIu64 " replayed, %" PRIu64
                       " refused\n",
                       tally_total(tally), sums.admitted, sums.replayed, sums.refused);
    for (size_t i = 0; i < REASON_INDEXES && good; i++)
        if (tally->count[i] > 0)
            good = append(out, "%10" PRIu64 "  %-22s  %s\n", tally->count[i],
                          reason_name(reason_at(i)), reason_text(reason_at(i)));
    return good;
}

bool summary_write(struct bytes *out, bool json, const struct tally *tally)
{
    return json ? write_json(out, tally) : write_text(out, tally);
}
