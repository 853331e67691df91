/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/service_sources.h"

#include "long_option.h"
#include "secret_file.h"
#include "serve/settings/service_options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool prepare(struct merged *merged)
{
    if (merged->values == NULL)
        merged->values = json_object();
    if (merged->origins == NULL)
        merged->origins = json_object();
    if (merged->formers == NULL)
        merged->formers = json_object();
    return merged->values != NULL && merged->origins != NULL && merged->formers != NULL;
}

/* A secret and its file are two spellings of one setting: the one with precedence replaces
 * both. */
static void forget_other_spelling(struct merged *merged, const char *name)
{
    const struct service_row *row = service_row_of_file(name);
    char file[SERVICE_NAME_BYTES];
    (void)snprintf(file, sizeof file, "%s_file", name);
    (void)json_object_del(merged->values, row != NULL ? row->name : file);
}

/* value is taken. */
static bool put(struct merged *merged, const char *name, json_t *value, const char *origin,
                struct settings_problem *problem)
{
    forget_other_spelling(merged, name);
    if (value != NULL && json_object_set_new(merged->values, name, value) == 0 &&
        json_object_set_new(merged->origins, name, json_string(origin)) == 0)
        return true;
    settings_problem_set(problem, "out of memory");
    return false;
}

/* What it is called now; that it was not is noted. */
static const char *name_now(struct merged *merged, const char *name)
{
    const char *now = service_name_now(name);
    if (now != name)
        (void)json_object_set_new(merged->formers, name, json_true());
    return now;
}

/* The other name under which the same is told; the name itself: there is none. */
static const char *other_name(const char *name)
{
    const struct service_row *row = service_row_of_file(name);
    return row != NULL ? row->name : service_name_now(name);
}

/* A secret, and the file that holds it, or a setting by its two names, in one place: which is
 * meant? */
static bool refuse_pairs(json_t *given, const char *place, struct settings_problem *problem)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(given, name, value)
    {
        const char *other = other_name(name);
        if (strcmp(other, name) != 0 && json_object_get(given, other) != NULL) {
            settings_problem_set(problem, "%s: %s and %s do not go together", place, other, name);
            return false;
        }
    }
    return true;
}

static char *read_whole(int fd, size_t max_bytes, size_t *len)
{
    char *text = malloc(max_bytes + 1);
    ssize_t got = 1;
    *len = 0;
    while (text != NULL && got != 0 && *len <= max_bytes) {
        got = read(fd, text + *len, max_bytes + 1 - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (*len += (size_t)got) > max_bytes) {
            sodium_memzero(text, *len < max_bytes ? *len : max_bytes);
            free(text);
            return NULL;
        }
    }
    return text;
}

/* Of regular files only: a pipe would be empty at the next reload, and a device has no end. */
static char *read_file(const char *path, size_t max_bytes, size_t *len, const char *origin,
                       struct settings_problem *problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        settings_problem_set(problem, "%s cannot be read: %s", origin, strerror(errno));
        return NULL;
    }
    const char *wrong = secret_file_fault(fd, SECRET_READ_BY_ALL);
    char *text = wrong == NULL ? read_whole(fd, max_bytes, len) : NULL;
    (void)close(fd);
    if (wrong != NULL)
        settings_problem_set(problem, "%s %s", origin, wrong);
    else if (text == NULL)
        settings_problem_set(problem, "%s is longer than %zu bytes, or cannot be read", origin,
                             max_bytes);
    return text;
}

static bool add_members(struct merged *merged, json_t *members, struct settings_problem *problem)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(members, name, value)
    {
        char origin[SERVICE_NAME_BYTES + 32];
        const char *now = name_now(merged, name);
        const struct service_row *row = service_row_find(now);
        if (row == NULL && service_row_of_file(name) == NULL) {
            settings_problem_set(problem, "the file of settings: no such setting: %.60s", name);
            return false;
        }
        (void)snprintf(origin, sizeof origin, "%s in the file of settings", name);
        if (row != NULL && row->type == SERVICE_CONFIG)
            return settings_refuse(problem, origin, "cannot name another file");
        if (!put(merged, now, json_incref(value), origin, problem))
            return false;
    }
    return true;
}

bool sources_add_file(struct merged *merged, const char *path, struct settings_problem *problem)
{
    size_t len = 0;
    json_error_t error;
    if (!prepare(merged))
        return settings_refuse(problem, "out of", "memory");
    char *text = read_file(path, SETTINGS_FILE_MAX_BYTES, &len, "the file of settings", problem);
    if (text == NULL)
        return false;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    sodium_memzero(text, len);
    free(text);
    bool good = json_is_object(root);
    if (!good)
        settings_problem_set(problem, "the file of settings is no JSON object: line %d, column %d",
                             error.line, error.column);
    good = good && refuse_pairs(root, "the file of settings", problem) &&
           add_members(merged, root, problem);
    json_decref(root);
    return good;
}

/* Kubernetes sets these in every container for every service of the namespace, and one of them
 * may be called jtiguard. The tests have names of their own. */
static bool is_anothers(const char *name, size_t name_len)
{
    static const char *const parts[] = {"_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"};
    static const char test[] = "JTIGUARD_TEST_";
    char text[256];
    if (name_len >= sizeof text)
        return false;
    memcpy(text, name, name_len);
    text[name_len] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(text, parts[i]) != NULL)
            return true;
    return strcmp(text, "JTIGUARD_PORT") == 0 || strcmp(text, "JTIGUARD_TOOL") == 0 ||
           strncmp(text, test, sizeof test - 1) == 0;
}

/* The name as in the file; NULL: no such setting. */
static const char *name_of_variable(const char *variable, size_t variable_len,
                                    char buffer[SERVICE_NAME_BYTES])
{
    static const char start[] = "JTIGUARD_";
    if (variable_len - (sizeof start - 1) >= SERVICE_NAME_BYTES)
        return NULL;
    size_t len = 0;
    for (size_t i = sizeof start - 1; i < variable_len; i++) {
        char c = variable[i];
        if (c >= 'a' && c <= 'z')
            return NULL;
        buffer[len++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    buffer[len] = '\0';
    bool known =
        service_row_find(service_name_now(buffer)) != NULL || service_row_of_file(buffer) != NULL;
    return known ? buffer : NULL;
}

/* Comma between; none of the texts of a list needs one but by way of the file. */
static json_t *split(const char *text)
{
    json_t *list = json_array();
    for (const char *end = NULL; list != NULL; text = end + 1) {
        end = text + strcspn(text, ",");
        if (json_array_append_new(list, json_stringn(text, (size_t)(end - text))) != 0) {
            json_decref(list);
            return NULL;
        }
        if (*end == '\0')
            break;
    }
    return list;
}

static json_t *value_of_text(const struct service_row *row, const char *text)
{
    if (row != NULL && service_row_is_list(row))
        return split(text);
    if (row != NULL && row->type == SERVICE_ISSUERS)
        return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    return json_string(text);
}

static bool add_variable(struct merged *merged, json_t *seen, const char *variable,
                         struct settings_problem *problem)
{
    char buffer[SERVICE_NAME_BYTES];
    char origin[256];
    size_t len = strcspn(variable, "=");
    (void)snprintf(origin, sizeof origin, "%.*s", (int)len, variable);
    if (is_anothers(variable, len) || variable[len] == '\0')
        return true;
    const char *name = name_of_variable(variable, len, buffer);
    if (name == NULL)
        return settings_refuse(problem, origin, "in the environment is no setting");
    /* Empty as in other programs: not set. */
    if (variable[len + 1] == '\0')
        return true;
    (void)json_object_set_new(seen, name, json_true());
    name = name_now(merged, name);
    json_t *value = value_of_text(service_row_find(name), variable + len + 1);
    if (value == NULL)
        return settings_refuse(problem, origin, "is not UTF-8, or no JSON where it must be");
    return put(merged, name, value, origin, problem);
}

bool sources_add_environment(struct merged *merged, char **environment,
                             struct settings_problem *problem)
{
    static const char start[] = "JTIGUARD_";
    json_t *seen = json_object();
    bool good = prepare(merged) && seen != NULL;
    if (!good)
        settings_problem_set(problem, "out of memory");
    for (; good && environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, start, sizeof start - 1) == 0)
            good = add_variable(merged, seen, *environment, problem);
    good = good && refuse_pairs(seen, "the environment", problem);
    json_decref(seen);
    return good;
}

/* Beyond every character, so that it is never taken for a short option. */
enum { FIRST_FLAG = 1000, FLAGS_MAX = 192 };

struct flags {
    struct option options[FLAGS_MAX];
    char texts[FLAGS_MAX][SERVICE_NAME_BYTES]; /* "--name" */
    char names[FLAGS_MAX][SERVICE_NAME_BYTES]; /* "name" */
    int count;
};

static void add_flag(struct flags *flags, const char *name, int argument)
{
    int at = flags->count++;
    (void)snprintf(flags->names[at], SERVICE_NAME_BYTES, "%s", name);
    service_name_as_flag(name, flags->texts[at]);
    flags->options[at] = (struct option){flags->texts[at] + 2, argument, NULL, FIRST_FLAG + at};
}

static void list_flags(struct flags *flags)
{
    flags->count = 0;
    for (size_t i = 0; i < service_row_count && flags->count < FLAGS_MAX - 3; i++) {
        const struct service_row *row = &service_rows[i];
        add_flag(flags, row->name, row->argument != NULL ? required_argument : optional_argument);
        if ((row->marks & SERVICE_SECRET) == 0)
            continue;
        char file[SERVICE_NAME_BYTES];
        (void)snprintf(file, sizeof file, "%s_file", row->name);
        add_flag(flags, file, required_argument);
    }
    for (size_t i = 0; i < service_former_count && flags->count < FLAGS_MAX - 3; i++)
        add_flag(flags, service_formers[i].name, required_argument);
    flags->options[flags->count] = (struct option){"help", no_argument, NULL, 'h'};
    flags->options[flags->count + 1] = (struct option){NULL, 0, NULL, 0};
}

/* A list grows by each; anything else stands once. */
static json_t *value_of_flag(const struct service_row *row, json_t *seen, const char *name,
                             const char *text)
{
    json_t *before = json_object_get(seen, name);
    if (row != NULL && service_row_is_list(row)) {
        json_t *list = before != NULL ? json_incref(before) : json_array();
        if (json_array_append_new(list, json_string(text)) == 0)
            return list;
        json_decref(list);
        return NULL;
    }
    return before == NULL ? value_of_text(row, text) : NULL;
}

static bool take_flag(struct merged *merged, json_t *seen, const char *name, const char *origin,
                      struct settings_problem *problem)
{
    name = name_now(merged, name);
    const char *text = optarg != NULL ? optarg : "yes";
    json_t *value = value_of_flag(service_row_find(name), seen, name, text);
    if (value == NULL)
        return settings_refuse(problem, origin,
                               json_object_get(seen, name) != NULL
                                   ? "stands twice"
                                   : "is not UTF-8, or no JSON where it must be");
    if (json_object_set(seen, name, value) != 0) {
        json_decref(value);
        return settings_refuse(problem, "out of", "memory");
    }
    return put(merged, name, value, origin, problem);
}

/* The value behind '=' may be a secret: only the name is shown. */
static bool refuse_text(const char *text, const char *what, struct settings_problem *problem)
{
    settings_problem_set(problem, "%.*s %s", (int)strcspn(text, "="), text, what);
    return false;
}

static bool refuse_argument(int found, char **argv, struct settings_problem *problem)
{
    return refuse_text(argv[optind - 1],
                       found == ':' ? "wants a value" : "is no option of this command", problem);
}

bool sources_add_flags(struct merged *merged, int argc, char **argv, bool *help,
                       struct settings_problem *problem)
{
    struct flags *flags = calloc(1, sizeof *flags);
    json_t *seen = json_object();
    bool good = prepare(merged) && flags != NULL && seen != NULL;
    *help = false;
    if (good)
        list_flags(flags);
    else
        settings_problem_set(problem, "out of memory");
    optind = 0; /* Begin anew, in glibc's way. */
    while (good && !*help) {
        int at = -1; /* in the list, of a long option */
        const char *text = NULL;
        int found = getopt_long(argc, argv, ":h", flags->options, &at);
        if (found == -1)
            break;
        if (at >= 0 && !long_option_is_whole(argv, &flags->options[at], &text)) {
            good = refuse_text(text, "is no option of this command", problem);
            break;
        }
        *help = found == 'h';
        if (found >= FIRST_FLAG)
            good = take_flag(merged, seen, flags->names[found - FIRST_FLAG],
                             flags->texts[found - FIRST_FLAG], problem);
        else if (found != 'h')
            good = refuse_argument(found, argv, problem);
    }
    if (good && !*help && optind < argc) {
        settings_problem_set(problem, "takes options only");
        good = false;
    }
    good = good && refuse_pairs(seen, "the command line", problem);
    json_decref(seen);
    free(flags);
    return good;
}

const char *sources_config_file(const struct merged *merged)
{
    return json_string_value(json_object_get(merged->values, "config"));
}

/* The line end that every editor leaves is not part of a secret. */
static size_t without_line_end(const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    return len;
}

static bool read_secret(struct merged *merged, const struct service_row *row, const char *file_name,
                        struct settings_problem *problem)
{
    const json_t *path = json_object_get(merged->values, file_name);
    char origin[256];
    size_t len = 0;
    if (path == NULL)
        return true;
    (void)snprintf(origin, sizeof origin, "%s", merged_origin(merged, file_name));
    if (!json_is_string(path))
        return settings_refuse(problem, origin, "wants the name of a file");
    char *text = read_file(json_string_value(path), SECRET_FILE_MAX_BYTES, &len, origin, problem);
    if (text == NULL)
        return false;
    json_t *value = json_stringn(text, without_line_end(text, len));
    sodium_memzero(text, len);
    free(text);
    if (value == NULL)
        return settings_refuse(problem, origin, "names a file that is not UTF-8");
    (void)json_object_del(merged->values, file_name);
    return put(merged, row->name, value, origin, problem);
}

bool sources_read_secrets(struct merged *merged, struct settings_problem *problem)
{
    for (size_t i = 0; i < service_row_count; i++) {
        char file[SERVICE_NAME_BYTES];
        (void)snprintf(file, sizeof file, "%s_file", service_rows[i].name);
        if ((service_rows[i].marks & SERVICE_SECRET) != 0 &&
            !read_secret(merged, &service_rows[i], file, problem))
            return false;
    }
    return true;
}
