/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/policy.h"

#include "serve/settings/settings_reader.h"

#include <stdatomic.h>
#include <stdlib.h>

struct policy {
    atomic_uint references;
    struct service_settings *settings;
};

struct policy *policy_new(struct service_settings *settings)
{
    struct policy *policy = malloc(sizeof *policy);
    if (policy == NULL) {
        service_settings_free(settings);
        return NULL;
    }
    policy->settings = settings;
    atomic_init(&policy->references, 1);
    return policy;
}

void policy_init(struct policy_holder *holder, struct policy *policy)
{
    (void)pthread_mutex_init(&holder->lock, NULL);
    holder->current = policy;
}

void policy_replace(struct policy_holder *holder, struct policy *policy)
{
    (void)pthread_mutex_lock(&holder->lock);
    struct policy *old = holder->current;
    holder->current = policy;
    (void)pthread_mutex_unlock(&holder->lock);
    policy_release(old);
}

void policy_clear(struct policy_holder *holder)
{
    policy_release(holder->current);
    holder->current = NULL;
    (void)pthread_mutex_destroy(&holder->lock);
}

struct policy *policy_hold(struct policy_holder *holder)
{
    (void)pthread_mutex_lock(&holder->lock);
    struct policy *policy = holder->current;
    (void)atomic_fetch_add(&policy->references, 1);
    (void)pthread_mutex_unlock(&holder->lock);
    return policy;
}

void policy_release(struct policy *policy)
{
    if (policy == NULL || atomic_fetch_sub(&policy->references, 1) != 1)
        return;
    service_settings_free(policy->settings);
    free(policy);
}

const struct service_settings *policy_settings(const struct policy *policy)
{
    return policy->settings;
}
