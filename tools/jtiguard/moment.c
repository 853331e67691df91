/* SPDX-License-Identifier: Apache-2.0 */
#include "moment.h"

#include "digits.h"

#include <inttypes.h>
#include <jtiguard/guard.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What is left to read. Every reader below takes its part, or says false. */
struct rest {
    const char *at;
    const char *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_char(struct rest *rest, char wanted)
{
    if (rest->at == rest->end || *rest->at != wanted)
        return false;
    rest->at++;
    return true;
}

static bool take_digits(struct rest *rest, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++) {
        if (rest->at == rest->end || !is_digit(*rest->at))
            return false;
        *number = *number * 10 + (*rest->at++ - '0');
    }
    return true;
}

static bool take_date_and_time(struct rest *rest, struct tm *tm)
{
    return take_digits(rest, 4, &tm->tm_year) && take_char(rest, '-') &&
           take_digits(rest, 2, &tm->tm_mon) && take_char(rest, '-') &&
           take_digits(rest, 2, &tm->tm_mday) && take_char(rest, 'T') &&
           take_digits(rest, 2, &tm->tm_hour) && take_char(rest, ':') &&
           take_digits(rest, 2, &tm->tm_min) && take_char(rest, ':') &&
           take_digits(rest, 2, &tm->tm_sec);
}

static bool take_fraction(struct rest *rest, int *ms)
{
    int weight = 100;
    *ms = 0;
    if (!take_char(rest, '.'))
        return true;
    if (rest->at == rest->end || !is_digit(*rest->at))
        return false;
    for (; rest->at < rest->end && is_digit(*rest->at); rest->at++, weight /= 10)
        *ms += (*rest->at - '0') * weight;
    return true;
}

static bool take_zone(struct rest *rest, int *minutes)
{
    int hours = 0;
    *minutes = 0;
    if (take_char(rest, 'Z'))
        return true;
    bool east = take_char(rest, '+');
    if (!east && !take_char(rest, '-'))
        return false;
    if (!take_digits(rest, 2, &hours) || !take_char(rest, ':') || !take_digits(rest, 2, minutes) ||
        hours > 23 || *minutes > 59)
        return false;
    *minutes = (east ? 1 : -1) * (hours * 60 + *minutes);
    return true;
}

/* timegm() turns 30 February into 2 March; what it changed was no date. */
static bool seconds_of(const struct tm *given, int64_t *seconds)
{
    struct tm tm = *given;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    struct tm asked = tm;
    *seconds = (int64_t)timegm(&tm);
    return tm.tm_year == asked.tm_year && tm.tm_mon == asked.tm_mon &&
           tm.tm_mday == asked.tm_mday && tm.tm_hour == asked.tm_hour &&
           tm.tm_min == asked.tm_min && tm.tm_sec == asked.tm_sec;
}

bool moment_from_rfc3339(const char *text, size_t text_len, int64_t *ms)
{
    struct rest rest = {text, text + text_len};
    struct tm tm = {0};
    int fraction_ms = 0;
    int zone_minutes = 0;
    int64_t seconds = 0;
    if (!take_date_and_time(&rest, &tm) || !take_fraction(&rest, &fraction_ms) ||
        !take_zone(&rest, &zone_minutes) || rest.at != rest.end || !seconds_of(&tm, &seconds))
        return false;
    *ms = (seconds - (int64_t)zone_minutes * 60) * 1000 + fraction_ms;
    return true;
}

bool moment_from_text(const char *text, int64_t *ms)
{
    struct rest rest = {text, text + strlen(text)};
    uint64_t seconds = 0;
    if (!digits_take(&rest.at, rest.end, UINT64_MAX, &seconds) || rest.at != rest.end)
        return moment_from_rfc3339(text, strlen(text), ms);
    if (seconds > (uint64_t)JTG_TIME_MAX_MS / 1000)
        return false;
    *ms = (int64_t)seconds * 1000;
    return true;
}

int64_t moment_from_seconds(double seconds)
{
    double ms = floor(seconds * 1000.0);
    if (!(ms >= 0.0))
        return -1;
    return ms <= (double)JTG_TIME_MAX_MS ? (int64_t)ms : JTG_TIME_MAX_MS + 1;
}

void moment_to_text(int64_t ms, char text[MOMENT_TEXT_BYTES])
{
    static const int64_t last_s = JTG_TIME_MAX_MS / 1000;
    int64_t seconds = ms <= 0 ? 0 : ms / 1000 + (ms % 1000 != 0);
    time_t time = (time_t)(seconds > last_s ? last_s : seconds);
    struct tm tm;
    text[0] = '\0';
    if (gmtime_r(&time, &tm) != NULL)
        (void)strftime(text, MOMENT_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool duration_from_text(const char *text, uint64_t *seconds)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    struct rest rest = {text, text + strlen(text)};
    uint64_t number = 0;
    if (!digits_take(&rest.at, rest.end, UINT64_MAX, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(rest.at, units[i].name) != 0)
            continue;
        *seconds = number * units[i].ms / 1000;
        return number <= UINT64_MAX / units[i].ms && number * units[i].ms % 1000 == 0;
    }
    return false;
}

void duration_to_text(uint64_t seconds, char text[MOMENT_DURATION_BYTES])
{
    static const struct {
        const char *name;
        uint64_t s;
    } units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    size_t i = 0;
    while (units[i].s > 1 && (seconds == 0 || seconds % units[i].s != 0))
        i++;
    (void)snprintf(text, MOMENT_DURATION_BYTES, "%" PRIu64 "%s", seconds / units[i].s,
                   units[i].name);
}

void moment_to_exact_text(int64_t ms, char text[MOMENT_TEXT_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    char date[MOMENT_TEXT_BYTES];
    struct tm tm;
    bool good = ms >= 0 && ms <= JTG_TIME_MAX_MS && gmtime_r(&seconds, &tm) != NULL &&
                strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) != 0;
    if (good)
        (void)snprintf(text, MOMENT_TEXT_BYTES, "%.19s.%03dZ", date, (int)(ms % 1000));
    else
        (void)snprintf(text, MOMENT_TEXT_BYTES, "unknown");
}
