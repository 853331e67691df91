/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/proxy_kind.h"

#include "serve/nginx.h"
#include "serve/snippet.h"
#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void proxy_kind_need(const struct proxy_kind *kind)
{
    if (program_path(kind->program) != NULL)
        return;
    print_message("%s is not installed\n", kind->program);
    skip();
}

/* Put a part of the page before or behind some text of another. part is freed. */
static char *put_before(char *text, const char *where, char *part)
{
    char *both = text_of("%s%s", part, where);
    text = snippet_replace(text, where, both);
    free(both);
    free(part);
    return text;
}

static char *put_behind(char *text, const char *where, char *part)
{
    char *both = text_of("%s%s", where, part);
    text = snippet_replace(text, where, both);
    free(both);
    free(part);
    return text;
}

/* ---- nginx ---- */

static char *make_site(struct behind_proxy *place)
{
    static const char *const files[] = {"www/index.html", "www/busy.html", "www/files/private"};
    char *www = text_of("%s/www", place->folder);
    char *inside = text_of("%s/www/files", place->folder);
    assert_int_equal(mkdir(www, 0755), 0);
    assert_int_equal(mkdir(inside, 0755), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        free(behind_proxy_file(place, files[i], "hello\n"));
    free(inside);
    return www;
}

/* The site of files, beside the other server, which then stays unused. */
static char *with_files(struct behind_proxy *place, const char *www)
{
    char listen[32];
    uint16_t port = place->port;
    (void)snprintf(listen, sizeof listen, "127.0.0.1:%u", (unsigned)port);
    char *files = snippet_replace(snippet_read("nginx-files"), "127.0.0.1:8081", listen);
    files = snippet_replace(files, "/srv/www", www);
    place->port = free_port();
    char *others = behind_proxy_snippet(place, "nginx");
    place->port = port;
    char *both = text_of("%s%s", others, files);
    free(others);
    free(files);
    return both;
}

static char *with_again(struct behind_proxy *place, char *http, const char *www)
{
    char pass[64];
    char *part = snippet_replace(snippet_read("nginx-again"), "/srv/www", www);
    (void)snprintf(pass, sizeof pass, "proxy_pass http://127.0.0.1:%u;\n",
                   (unsigned)application_port(place->application));
    char *old = text_of("%s    }\n", pass);
    char *new = text_of("%s%s", pass, part);
    http = snippet_replace(http, old, new);
    free(new);
    free(old);
    free(part);
    return http;
}

static char *with_cors(char *http)
{
    char *maps = snippet_read("nginx-cors-maps");
    char *both = text_of("%s%s", maps, http);
    free(http);
    free(maps);
    return put_behind(both, "    location / {\n", snippet_read("nginx-cors"));
}

/* The client's id where it sends one, and what the page adds to that. */
static char *with_ingress(char *http)
{
    char *both = text_of("map $http_x_request_id $req_id {\n    default $http_x_request_id;\n"
                         "    \"\" $request_id;\n}\n%s",
                         http);
    free(http);
    both = snippet_replace(both, "proxy_set_header X-Request-ID $request_id;",
                           "proxy_set_header X-Request-ID $req_id;");
    return put_behind(both, "proxy_set_header X-Request-ID $req_id;\n",
                      snippet_read("nginx-ingress"));
}

static void start_nginx(struct behind_proxy *place, unsigned parts)
{
    char *www = (parts & (PART_FILES | PART_AGAIN)) != 0 ? make_site(place) : NULL;
    char *http =
        (parts & PART_FILES) != 0 ? with_files(place, www) : behind_proxy_snippet(place, "nginx");
    if ((parts & PART_AGAIN) != 0)
        http = with_again(place, http, www);
    if ((parts & PART_CORS) != 0)
        http = with_cors(http);
    if ((parts & PART_INGRESS) != 0)
        http = with_ingress(http);
    if ((parts & PART_CLAIM) != 0)
        http = put_behind(http, "        auth_request /_jtiguard;\n", snippet_read("nginx-claim"));
    nginx_run(place, http);
    free(www);
}

/* ---- Caddy ---- */

static void start_caddy(struct behind_proxy *place, unsigned parts)
{
    char site[32];
    (void)snprintf(site, sizeof site, "http://:%u", (unsigned)place->port);
    char *sites = snippet_replace(behind_proxy_snippet(place, "caddy"), "http://:8080", site);
    if ((parts & PART_CORS) != 0)
        sites = put_behind(sites, "\troute {\n", snippet_read("caddy-cors"));
    if ((parts & PART_CLAIM) != 0)
        sites = put_behind(sites,
                           "\t\t\t\trequest_header X-JTI-Issuer "
                           "{http.reverse_proxy.header.X-Jti-Issuer}\n",
                           snippet_read("caddy-claim"));
    char *config = text_of("{\n\tadmin off\n}\n%s", sites);
    char *path = behind_proxy_file(place, "Caddyfile", config);
    assert_int_equal(setenv("XDG_DATA_HOME", place->folder, 1), 0);
    assert_int_equal(setenv("XDG_CONFIG_HOME", place->folder, 1), 0);
    behind_proxy_run(place, (const char *const[]){program_path("caddy"), "run", "--adapter",
                                                  "caddyfile", "--config", path, NULL});
    free(path);
    free(config);
    free(sites);
}

/* ---- HAProxy ---- */

static void start_haproxy(struct behind_proxy *place, unsigned parts)
{
    char inner[32];
    char asked[32];
    uint16_t section = free_port();
    uint16_t target = (parts & PART_DIRECT) != 0 ? place->instances[0].port : section;
    (void)snprintf(inner, sizeof inner, "127.0.0.1:%u", (unsigned)section);
    (void)snprintf(asked, sizeof asked, "127.0.0.1:%u", (unsigned)target);
    char *script = snippet_replace(snippet_read("haproxy-lua"), "127.0.0.1:9869", asked);
    if ((parts & PART_CLAIM) != 0)
        script = put_behind(script, "    keep(txn, \"txn.jti_issuer\", answer, \"x-jti-issuer\")\n",
                            snippet_read("haproxy-claim-lua"));
    char *script_path = behind_proxy_file(place, "jtiguard.lua", script);
    char *config = snippet_replace(behind_proxy_snippet(place, "haproxy"), "127.0.0.1:9869", inner);
    config = snippet_replace(config, "/etc/haproxy/jtiguard.lua", script_path);
    if ((parts & PART_CORS) != 0)
        config =
            put_before(config, "    http-request lua.jtiguard\n", snippet_read("haproxy-cors"));
    if ((parts & PART_CLAIM) != 0)
        config =
            put_before(config, "    default_backend application\n", snippet_read("haproxy-claim"));
    char *path = behind_proxy_file(place, "haproxy.cfg", config);
    behind_proxy_run(place,
                     (const char *const[]){program_path("haproxy"), "-db", "-f", path, NULL});
    free(path);
    free(config);
    free(script_path);
    free(script);
}

/* ---- Apache httpd ---- */

static char *load_modules(void)
{
    static const char *const names[] = {"mpm_event", "authz_core", "proxy",   "proxy_http", "lua",
                                        "unique_id", "headers",    "rewrite", "setenvif"};
    const char *folder = getenv("JTIGUARD_TEST_APACHE_MODULES");
    char *all = text_of("%s", "");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *more = text_of("%sLoadModule %s_module %s/mod_%s.so\n", all, names[i],
                             folder != NULL ? folder : "/usr/lib/apache2/modules", names[i]);
        free(all);
        all = more;
    }
    return all;
}

/* Its workers are nobody when root starts it, and have to read the script. More of them than
 * clients at once: with none to spare it closes connections that wait for their next request. */
static void start_apache(struct behind_proxy *place, unsigned parts)
{
    const char *folder = place->folder;
    assert_int_equal(chmod(folder, 0755), 0);
    char *script = behind_proxy_snippet(place, "apache-lua");
    if ((parts & PART_CLAIM) != 0)
        script = put_before(script, "        return apache2.OK\n", snippet_read("apache-claim"));
    char *script_path = behind_proxy_file(place, "jtiguard.lua", script);
    char *site = snippet_replace(behind_proxy_snippet(place, "apache"), "/etc/apache2/jtiguard.lua",
                                 script_path);
    if ((parts & PART_CORS) != 0)
        site = put_before(site, "    LuaHookAccessChecker ", snippet_read("apache-cors"));
    char *modules = load_modules();
    char *config = text_of("ServerRoot %s\nPidFile %s/apache.pid\nErrorLog %s/apache.log\n"
                           "DefaultRuntimeDir %s\nServerName api.example\nUser nobody\n"
                           "Group nogroup\n%sStartServers 1\nServerLimit 1\nThreadLimit 128\n"
                           "ThreadsPerChild 128\nMaxRequestWorkers 128\nListen 127.0.0.1:%u\n%s",
                           folder, folder, folder, folder, modules, (unsigned)place->port, site);
    char *path = behind_proxy_file(place, "apache.conf", config);
    behind_proxy_run(place, (const char *const[]){program_path("apache2"), "-D", "FOREGROUND", "-f",
                                                  path, NULL});
    free(path);
    free(config);
    free(modules);
    free(site);
    free(script_path);
    free(script);
}

const struct proxy_kind proxy_nginx = {"nginx", "nginx", "original", 500, start_nginx};
const struct proxy_kind proxy_caddy = {"caddy", "caddy", NULL, 502, start_caddy};
const struct proxy_kind proxy_haproxy = {"haproxy", "haproxy", "original", 403, start_haproxy};
const struct proxy_kind proxy_apache = {"apache", "apache2", "original", 503, start_apache};
