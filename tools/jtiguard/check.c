/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard check`: one claims object a line in, one verdict a line out. */
#include "command.h"
#include "continuity.h"
#include "guarding.h"
#include "judge.h"
#include "lines.h"
#include "message.h"
#include "pipeline.h"
#include "progress.h"
#include "store.h"
#include "verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct check {
    const struct settings *settings;
    struct guarding guarding;
    struct lines *lines;
    struct pipeline *pipeline;
    struct progress progress;
    struct tally tally;
    bool stopped; /* --strict met a malformed line. */
};

static enum exit_code fail(struct check *check, const char *what, int error)
{
    progress_erase(&check->progress);
    complain("%s: %s", what, strerror(error));
    return EXIT_TROUBLE;
}

static enum exit_code write_out(struct check *check, const struct bytes *out)
{
    if (out->len > 0 && fwrite(out->data, 1, out->len, stdout) != out->len)
        return fail(check, "cannot write", errno);
    return EXIT_ADMITTED;
}

/* Write the verdicts of the oldest batch, and take it back. */
static enum exit_code finish_oldest(struct check *check, struct batch *batch)
{
    tally_merge(&check->tally, &batch->tally);
    check->stopped = batch->stopped;
    enum exit_code code = batch->out_of_memory ? fail(check, "cannot keep a verdict", ENOMEM)
                                               : write_out(check, &batch->output);
    pipeline_give_back(check->pipeline);
    progress_update(&check->progress, tally_total(&check->tally), check->lines->bytes_read);
    return code;
}

/* Finish all that is under way, so that whoever waits at the other end sees it now. */
static enum exit_code drain(struct check *check)
{
    enum exit_code code = EXIT_ADMITTED;
    struct batch *batch;
    while (code == EXIT_ADMITTED && !check->stopped &&
           (batch = pipeline_oldest_done(check->pipeline)) != NULL)
        code = finish_oldest(check, batch);
    if (code == EXIT_ADMITTED && fflush(stdout) != 0)
        code = fail(check, "cannot write", errno);
    return code;
}

static enum exit_code make_room(struct check *check, struct batch **free_batch)
{
    enum exit_code code = EXIT_ADMITTED;
    while (code == EXIT_ADMITTED && !check->stopped &&
           (*free_batch = pipeline_next_free(check->pipeline)) == NULL)
        code = finish_oldest(check, pipeline_oldest_done(check->pipeline));
    return code;
}

static enum exit_code read_all(struct check *check)
{
    struct batch *batch = NULL;
    enum lines_answer answer = LINES_WAIT;
    while (answer == LINES_FULL || answer == LINES_WAIT) {
        enum exit_code code = make_room(check, &batch);
        if (code != EXIT_ADMITTED || check->stopped)
            return code;
        answer = lines_read(check->lines, batch, answer == LINES_WAIT);
        int error = errno;
        if (batch->line_count > 0)
            pipeline_submit(check->pipeline);
        if (answer == LINES_FULL)
            continue;
        code = drain(check);
        if (code != EXIT_ADMITTED || check->stopped)
            return code;
        if (answer == LINES_READ_ERROR)
            return fail(check, "cannot read", error);
        if (answer == LINES_OUT_OF_MEMORY)
            return fail(check, "cannot keep a line", ENOMEM);
    }
    return EXIT_ADMITTED;
}

static enum exit_code write_summary(struct check *check)
{
    struct bytes out = {NULL, 0, 0};
    progress_erase(&check->progress);
    enum exit_code code = summary_write(&out, check->settings->json, &check->tally)
                              ? write_out(check, &out)
                              : fail(check, "cannot make the summary", ENOMEM);
    bytes_clear(&out);
    return code;
}

/* Trouble stays trouble with --report: a report of a store that failed is not whole. */
static enum exit_code conclude(const struct check *check)
{
    enum exit_code code = tally_exit_code(&check->tally);
    if (code == EXIT_TROUBLE || check->stopped)
        return code;
    if (check->settings->report)
        return EXIT_ADMITTED;
    if (tally_total(&check->tally) == 0)
        complain("check: there are no claims in the input");
    return code;
}

static enum exit_code run_pipeline(struct check *check)
{
    const struct settings *settings = check->settings;
    struct judge judge = {
        check->guarding.guard,
        {settings->claims.kind, settings->claims.custom_kind, settings->claims.audience},
        settings->json,
        settings->quiet,
        settings->strict};
    check->pipeline = pipeline_new(&judge, (unsigned)settings->threads);
    if (check->pipeline == NULL)
        return fail(check, "cannot start the threads", ENOMEM);
    enum exit_code code = read_all(check);
    pipeline_free(check->pipeline);

    /* After trouble the sums still say how far it came, if there is anybody to tell. */
    if (ferror(stdout) || write_summary(check) != EXIT_ADMITTED || code != EXIT_ADMITTED)
        return EXIT_TROUBLE;
    if (check->tally.count[reason_index(JTG_REASON_CONTINUITY_LOST)] > 0)
        continuity_advise("check", settings, &check->guarding);
    return conclude(check);
}

static enum exit_code check_fd(const struct settings *settings, int fd)
{
    struct check check = {.settings = settings, .lines = malloc(sizeof *check.lines)};
    if (check.lines == NULL)
        return fail(&check, "cannot begin", ENOMEM);
    enum exit_code code = guarding_open(&check.guarding, settings);
    if (code == EXIT_ADMITTED) {
        store_note_default("check", settings, check.guarding.cache);
        lines_init(check.lines, fd, (size_t)settings->max_line_bytes);
        progress_init(&check.progress, !settings->quiet, fd);
        code = run_pipeline(&check);
        lines_clear(check.lines);
        guarding_close(&check.guarding);
    }
    free(check.lines);
    return code;
}

static enum exit_code run(const struct settings *settings, int operand_count, char **operands)
{
    if (operand_count > 1) {
        complain("check: takes one FILE");
        return EXIT_USAGE;
    }
    if (operand_count == 0 || strcmp(operands[0], "-") == 0)
        return check_fd(settings, STDIN_FILENO);
    int fd = open(operands[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain("cannot open %s: %s", operands[0], strerror(errno));
        return EXIT_TROUBLE;
    }
    enum exit_code code = check_fd(settings, fd);
    (void)close(fd);
    return code;
}

const struct command check_command = {
    "check",
    COMMAND_CHECK,
    "[FILE]",
    "admit the tokens of a file of claims, one JSON object a line",
    "Reads one JSON object of claims a line, from FILE or standard input, as a verifier has it\n"
    "after it has verified a token. Prints one verdict a line, in order, and a summary.\n"
    "It is not a dry run: each token is admitted and remembered in the store. Without --store and\n"
    "JTIGUARD_STORE that is memory, which ends with the command.\n"
    "\n"
    "The kind of a token is --kind, or follows from its claims:\n"
    "  ID or NotOnOrAfter                 saml_assertion\n"
    "  htm and htu                        dpop_proof (its key's thumbprint: jkt or cnf.jkt)\n"
    "  events with back-channel logout    logout_token\n"
    "  iss equal to sub                   client_assertion\n"
    "  else                               id_token\n"
    "Other kinds are asked for by --kind.\n"
    "\n"
    "Exit: 0 all admitted, 1 a replay, 4 a token refused or no token at all, 3 trouble with the\n"
    "store, the input or the output, 2 usage. If several apply, the exit code is the first of\n"
    "them in this order: 2, 3, 4, 1.\n",
    "  jtiguard check claims.jsonl\n"
    "  jtiguard check --json --quiet --report --audience api claims.jsonl\n",
    run};
