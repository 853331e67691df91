/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard acl`: the least that a Redis user needs, as one line of ACL SETUSER. */
#include "bytes.h"
#include "command.h"
#include "message.h"
#include "store.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A line of words that blanks part, as redis-cli and a server's aclfile read it. */
static bool is_one_word(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '"' || *text == '\'')
            return false;
    return true;
}

/* A key pattern that means the prefix itself, whatever wildcards stand in it. */
static bool append_pattern(struct bytes *line, const char *prefix)
{
    bool good = bytes_append_text(line, " ~");
    for (; *prefix != '\0' && good; prefix++)
        good = (strchr("*?[]\\", *prefix) == NULL || bytes_append_text(line, "\\")) &&
               bytes_append(line, prefix, 1);
    return good && bytes_append_text(line, "* ");
}

/* The marker of continuity, the probes of readiness and the challenges lie beside the guard's own
 * prefix unless the store has one: they begin with 0xff, which a line of text can only say as a
 * byte that is no printable one. */
static bool append_apart_patterns(struct bytes *line, const struct settings *settings)
{
    bool watches = settings->uri == NULL || jtg_redis_uri_options(settings->uri)->continuity != 0;
    if (settings->store_prefix != NULL)
        return true;
    return (!watches || bytes_append_text(line, "~[^!-~]c* ")) &&
           bytes_append_text(line, "~[^!-~]r:[^!-~]p:* ~[^!-~]m:jtg:ch1:* ~[^!-~]v:jtg:ch1:* ");
}

/* What only some URIs make the backend send. */
static bool append_further_commands(struct bytes *line, const struct settings *settings)
{
    if (settings->uri == NULL)
        return true;
    const jtg_redis_options *options = jtg_redis_uri_options(settings->uri);
    return (options->database == 0 || bytes_append_text(line, " +select")) &&
           (options->client_name == NULL || bytes_append_text(line, " +client|setname")) &&
           /* A server that does not know it would refuse the whole line. */
           (options->fsync == 0 || bytes_append_text(line, " +waitaof"));
}

/* `reset` first: on a user that exists the rules would else only add to what it may. */
static bool make_line(struct bytes *line, const struct settings *settings, const char *user,
                      const char *prefix)
{
    return bytes_append_text(line, "ACL SETUSER ") && bytes_append_text(line, user) &&
           bytes_append_text(line, " reset on >PASSWORD resetchannels") &&
           append_pattern(line, prefix) && append_apart_patterns(line, settings) &&
           bytes_append_text(line, jtg_redis_acl_commands()) &&
           append_further_commands(line, settings);
}

static bool print_json(const struct bytes *line)
{
    json_t *answer = json_object();
    bool good = json_object_set_new(answer, "acl", json_stringn(line->data, line->len)) == 0 &&
                json_dumpf(answer, stdout, JSON_COMPACT) == 0;
    json_decref(answer);
    return good && putchar('\n') != EOF;
}

static bool is_bare(const char *word, size_t len)
{
    static const char others[] = "+-_.,:/@";
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)word[i]) && strchr(others, word[i]) == NULL)
            return false;
    return true;
}

/* For a shell and for redis-cli's own prompt alike: no word of the line holds a quote. Bare, `>` is
 * a file, `|` a pipe and `*` a list of files. */
static bool quote(struct bytes *quoted, const struct bytes *line)
{
    bool good = true;
    for (size_t at = 0; at < line->len && good;) {
        const char *word = line->data + at;
        const char *blank = memchr(word, ' ', line->len - at);
        size_t len = blank != NULL ? (size_t)(blank - word) : line->len - at;
        const char *around = is_bare(word, len) ? "" : "'";
        good = bytes_append_text(quoted, at > 0 ? " " : "") && bytes_append_text(quoted, around) &&
               bytes_append(quoted, word, len) && bytes_append_text(quoted, around);
        at += len + 1;
    }
    return good;
}

static enum exit_code print(const struct settings *settings, const char *user, const char *prefix)
{
    struct bytes line = {NULL, 0, 0};
    struct bytes quoted = {NULL, 0, 0};
    bool good = make_line(&line, settings, user, prefix) && quote(&quoted, &line);
    if (good && settings->json)
        good = print_json(&line);
    else if (good)
        good = fwrite(quoted.data, 1, quoted.len, stdout) == quoted.len && putchar('\n') != EOF;
    bytes_clear(&line);
    bytes_clear(&quoted);
    return good ? EXIT_ADMITTED : EXIT_TROUBLE;
}

static const char *choose_user(const struct settings *settings)
{
    if (settings->user != NULL)
        return settings->user;
    const char *user = settings->uri != NULL ? jtg_redis_uri_options(settings->uri)->user : NULL;
    return user != NULL ? user : "jtiguard";
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    (void)operands;
    const char *user = choose_user(settings);
    const char *prefix =
        settings->store_prefix != NULL ? settings->store_prefix : store_guard_prefix(settings);
    const char *wrong = NULL;
    if (operand_count > 0)
        wrong = "takes no operand";
    else if (!store_has_redis())
        wrong = STORE_WITHOUT_REDIS;
    else if (!is_one_word(user) || !is_one_word(prefix))
        wrong = "user and prefix must be without blanks and quotes to stand in an ACL line";
    if (wrong == NULL)
        return print(settings, user, prefix);
    complain("acl: %s", wrong);
    return EXIT_USAGE;
}

const struct command acl_command = {
    "acl",
    COMMAND_ACL,
    "",
    "print the minimal ACL line of a Redis user",
    "Prints the ACL SETUSER line of a Redis user that may do what this version does, under its\n"
    "prefix, and nothing else. Put a password of your own in place of PASSWORD. Its words are\n"
    "quoted for redis-cli, in a shell too; with --json they are not. No server is asked; --store\n"
    "says which prefix, user, database and client name are in use.\n"
    "\n"
    "Exit: 0 printed, 2 usage, 3 trouble with the output.\n",
    "  jtiguard acl --user gateway\n"
    "  jtiguard acl --json --store 'redis://gateway@cache.example?prefix=app:'\n",
    run};
