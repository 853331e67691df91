/* SPDX-License-Identifier: Apache-2.0 */
#include "support/redis_server.h"

#include "support/asserts.h"
#include "support/ports.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIXED_WORDS = 13, SENTINEL_WORDS = 2, START_TRIES = 2000 };

static const char *program(void)
{
    const char *chosen = getenv("JTIGUARD_TEST_REDIS_SERVER");
    return chosen == NULL || *chosen == '\0' ? "redis-server" : chosen;
}

static void become_server(const struct redis_server *server)
{
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)server->port);
    const char *fixed[FIXED_WORDS] = {
        program(), "--port",       port,        "--bind", "127.0.0.1",          "--save",    "",
        "--dir",   server->folder, "--logfile", "log",    "--maxmemory-policy", "noeviction"};
    const char *words[FIXED_WORDS + SENTINEL_WORDS + REDIS_SERVER_OPTIONS_MAX + 1] = {fixed[0]};
    size_t count = 1;
    if (server->sentinel_file[0] != '\0') {
        words[count++] = server->sentinel_file;
        words[count++] = "--sentinel";
    }
    memcpy(words + count, fixed + 1, sizeof fixed - sizeof fixed[0]);
    memcpy(words + count + FIXED_WORDS - 1, server->options, sizeof server->options);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDWR);
    if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0) {
        /* execvp() takes char *const *, and changes nothing. */
        union {
            const char **ours;
            char *const *its;
        } arguments = {words};
        execvp(words[0], arguments.its);
    }
    _exit(127);
}

static int connect_to(const struct redis_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    struct timeval patience = {5, 0};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

static bool read_line(int descriptor, char *line, size_t line_len)
{
    size_t have = 0;
    while (have + 1 < line_len) {
        if (recv(descriptor, line + have, 1, 0) != 1)
            return false;
        if (line[have] == '\n')
            break;
        have++;
    }
    line[have > 0 && line[have - 1] == '\r' ? have - 1 : have] = '\0';
    return true;
}

bool redis_server_ask(const struct redis_server *server, const char *line, char *reply,
                      size_t reply_len)
{
    size_t len = strlen(line);
    int descriptor = connect_to(server);
    if (descriptor < 0)
        return false;
    bool answered = send(descriptor, line, len, MSG_NOSIGNAL | MSG_MORE) == (ssize_t)len &&
                    send(descriptor, "\r\n", 2, MSG_NOSIGNAL) == 2 &&
                    read_line(descriptor, reply, reply_len);
    close(descriptor);
    return answered;
}

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* One that asks for a login is ready for it, and one that has no PING for everything else. */
static bool is_ready(const char *reply)
{
    return strcmp(reply, "+PONG") == 0 || strncmp(reply, "-NOAUTH", 7) == 0 ||
           strncmp(reply, "-ERR unknown command", 20) == 0;
}

/* False if the server has ended. */
static bool wait_until_it_answers(struct redis_server *server)
{
    char reply[64];
    for (int i = 0; i < START_TRIES; i++) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        if (redis_server_ask(server, "PING", reply, sizeof reply) && is_ready(reply))
            return true;
        sleep_ms(5);
    }
    return false;
}

static void end_with(struct redis_server *server, int signal_number)
{
    if (server->pid == 0)
        return;
    assert_int_equal(kill(server->pid, signal_number), 0);
    (void)kill(server->pid, SIGCONT); /* a frozen one, left by a test that failed, ends too */
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
}

static bool spawn(struct redis_server *server)
{
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0)
        become_server(server);
    bool answers = wait_until_it_answers(server);
    if (!answers)
        end_with(server, SIGKILL);
    return answers;
}

/* What it wrote last: the folder may be gone with its machine before anybody looks. */
static void tell_its_last_words(const struct redis_server *server)
{
    char text[1024] = "";
    int folder = open(server->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = folder < 0 ? -1 : openat(folder, "log", O_RDONLY | O_CLOEXEC);
    if (file >= 0 && lseek(file, -(off_t)(sizeof text - 1), SEEK_END) < 0)
        (void)lseek(file, 0, SEEK_SET);
    if (file >= 0 && read(file, text, sizeof text - 1) > 0)
        print_error("%s\n", text);
    if (file >= 0)
        (void)close(file);
    if (folder >= 0)
        (void)close(folder);
}

/* The port stays the server's while it is dead: whoever else answered there would be taken for it.
 */
static void start(struct redis_server *server)
{
    server->port = port_take_with_bus();
    snprintf(server->uri, sizeof server->uri, "redis://127.0.0.1:%u/0", (unsigned)server->port);
    if (!spawn(server)) {
        tell_its_last_words(server);
        fail_msg("%s does not start, see %s/log", program(), server->folder);
    }
}

static void prepare(struct redis_server *server, const char *const *options)
{
    memset(server, 0, sizeof *server);
    for (size_t i = 0; options != NULL && options[i] != NULL; i++) {
        assert_true(i < REDIS_SERVER_OPTIONS_MAX - 1);
        server->options[i] = options[i];
    }
    strcpy(server->folder, "/tmp/jtiguard-server.XXXXXX");
    assert_non_null(mkdtemp(server->folder));
}

void redis_server_start(struct redis_server *server, const char *const *options)
{
    prepare(server, options);
    start(server);
}

void redis_server_start_sentinel(struct redis_server *server, const char *const *options)
{
    prepare(server, options);
    snprintf(server->sentinel_file, sizeof server->sentinel_file, "%s/sentinel.conf",
             server->folder);
    int file = open(server->sentinel_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    start(server);
}

void redis_server_start_again(struct redis_server *server)
{
    assert_int_equal(server->pid, 0);
    if (!spawn(server))
        fail_msg("%s does not start again", program());
}

void redis_server_kill(struct redis_server *server)
{
    end_with(server, SIGKILL);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

void redis_server_stop(struct redis_server *server)
{
    end_with(server, SIGTERM);
    port_give_back(server->port);
    server->port = 0;
    (void)nftw(server->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void redis_server_freeze(struct redis_server *server)
{
    int status;
    assert_int_equal(kill(server->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(server->pid, &status, WUNTRACED), server->pid);
    assert_true(WIFSTOPPED(status));
}

void redis_server_thaw(struct redis_server *server)
{
    assert_int_equal(kill(server->pid, SIGCONT), 0);
}
