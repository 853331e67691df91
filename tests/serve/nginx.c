/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/nginx.h"

#include <stdlib.h>

void nginx_run(struct behind_proxy *place, char *http)
{
    char *frame = text_of("daemon off;\nuser root;\npid %s/nginx.pid;\nworker_processes 2;\n"
                          "events { worker_connections 4096; }\n"
                          "http {\naccess_log off;\n"
                          "client_body_temp_path %s/t1;\nproxy_temp_path %s/t2;\n"
                          "fastcgi_temp_path %s/t3;\nuwsgi_temp_path %s/t4;\n"
                          "scgi_temp_path %s/t5;\n%s}\n",
                          place->folder, place->folder, place->folder, place->folder, place->folder,
                          place->folder, http);
    char *path = behind_proxy_file(place, "nginx.conf", frame);
    behind_proxy_run(place, (const char *const[]){program_path("nginx"), "-e", place->log_path,
                                                  "-p", place->folder, "-c", path, NULL});
    free(path);
    free(frame);
    free(http);
}
