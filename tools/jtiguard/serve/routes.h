/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoint answers what. */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include "http.h"

enum MHD_Result routes_answer(struct exchange *exchange);

/* The endpoints. */
enum MHD_Result endpoint_check(struct exchange *exchange);
enum MHD_Result endpoint_reserve(struct exchange *exchange);
enum MHD_Result endpoint_batch(struct exchange *exchange);
enum MHD_Result endpoint_release(struct exchange *exchange);
enum MHD_Result endpoint_livez(struct exchange *exchange);
enum MHD_Result endpoint_readyz(struct exchange *exchange);
enum MHD_Result endpoint_metrics(struct exchange *exchange);

/* Below /check, Envoy puts the path of the request that it asks about. */
#define CHECK_PATH "/check"

#endif
