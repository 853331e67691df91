/* SPDX-License-Identifier: Apache-2.0 */
/* A drawing in SVG: bars, curves and words, in colours for a light and a dark page. A class says
 * whose figure a shape shows: "own", "other", or "axis" for what carries no figure. */
#ifndef BENCH_DRAWING_H
#define BENCH_DRAWING_H

#include <stddef.h>
#include <stdio.h>

struct bench_point {
    double x, y;
};

/* description: what a person hears who cannot see it. */
void bench_drawing_begin(FILE *out, double width, double height, const char *title,
                         const char *description);

/* anchor: "start", "middle" or "end", what of the text is at the place. */
void bench_drawing_text(FILE *out, struct bench_point at, const char *anchor, const char *text);
void bench_drawing_heading(FILE *out, struct bench_point at, const char *text);

/* From its left upper corner. */
void bench_drawing_bar(FILE *out, struct bench_point from, double width, double height,
                       const char *whose);
void bench_drawing_curve(FILE *out, const struct bench_point *points, size_t count,
                         const char *whose);

void bench_drawing_end(FILE *out);

#endif
