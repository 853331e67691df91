/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/nss_peers.h"
#include "support/asserts.h"
#include "support/tls_certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void run(const char *folder, const char *words)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "cd %s && %s >log 2>&1 || { cat log >&2; false; }",
                   folder, words);
    /* NOLINTNEXTLINE(cert-env33-c): a test runs programs of the system */
    assert_int_equal(system(command), 0);
}

void nss_folder_make(char folder[64])
{
    struct tls_certificate made;
    char export[512];
    (void)snprintf(folder, 64, "/tmp/jtiguard-nss-XXXXXX");
    assert_non_null(mkdtemp(folder));
    tls_certificate_make(&made, 0);
    (void)snprintf(
        export, sizeof export,
        "openssl pkcs12 -export -name localhost -passout pass:x -inkey %s -in %s -out both.p12",
        made.key_path, made.certificate_path);
    run(folder, "certutil -N -d sql:. --empty-password");
    run(folder, export);
    run(folder, "pk12util -i both.p12 -d sql:. -W x");
    run(folder, "certutil -M -n localhost -t CPu,, -d sql:.");
    tls_certificate_clear(&made);
}

void nss_folder_clear(const char *folder)
{
    static const char *const names[] = {"cert9.db", "key4.db", "pkcs11.txt", "both.p12", "log"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}
