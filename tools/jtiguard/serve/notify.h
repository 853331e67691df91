/* SPDX-License-Identifier: Apache-2.0 */
/* Tells systemd how the service is (sd_notify(3)): one datagram to the socket that the
 * environment names. Without one, nothing happens. */
#ifndef SERVE_NOTIFY_H
#define SERVE_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
