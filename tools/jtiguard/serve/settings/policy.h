/* SPDX-License-Identifier: Apache-2.0 */
/* The settings in effect. A request holds the ones with which it began, so that a reload never
 * takes them away from under it; when its token was judged by newer ones, it takes those. */
#ifndef SERVE_POLICY_H
#define SERVE_POLICY_H

#include "serve/settings/service_settings.h"

#include <pthread.h>

struct policy; /* settings, with a count of who holds them */

struct policy_holder {
    pthread_mutex_t lock; /* held to take a reference, or to swap */
    struct policy *current;
};

/* settings are taken, also on failure: NULL when memory is out. policy_release() lets go of it. */
struct policy *policy_new(struct service_settings *settings);

/* policy is taken. */
void policy_init(struct policy_holder *holder, struct policy *policy);
void policy_replace(struct policy_holder *holder, struct policy *policy);
void policy_clear(struct policy_holder *holder);

struct policy *policy_hold(struct policy_holder *holder);
void policy_release(struct policy *policy);

const struct service_settings *policy_settings(const struct policy *policy);

#endif
