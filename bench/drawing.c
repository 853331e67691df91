/* SPDX-License-Identifier: Apache-2.0 */
#include "drawing.h"

/* Both colours of each class have a contrast of at least 4.5 with their ground. */
static const char style[] = "<style>\n"
                            ".ground{fill:#ffffff}\n"
                            "text{fill:#1f2328;font:13px system-ui,sans-serif}\n"
                            ".heading{font-weight:600}\n"
                            ".own{fill:#0860ca;stroke:#0860ca}\n"
                            ".other{fill:#a83a00;stroke:#a83a00}\n"
                            ".axis{fill:#59636e;stroke:#59636e}\n"
                            ".bar{stroke:none}\n"
                            ".curve{fill:none;stroke-width:2}\n"
                            "@media (prefers-color-scheme:dark){\n"
                            ".ground{fill:#0d1117}\n"
                            "text{fill:#f0f6fc}\n"
                            ".own{fill:#4493f8;stroke:#4493f8}\n"
                            ".other{fill:#f0883e;stroke:#f0883e}\n"
                            ".axis{fill:#9198a1;stroke:#9198a1}\n"
                            ".bar{stroke:none}\n"
                            ".curve{fill:none}\n"
                            "}\n"
                            "</style>\n";

static void write_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '&')
            (void)fputs("&amp;", out);
        else if (*text == '<')
            (void)fputs("&lt;", out);
        else if (*text == '>')
            (void)fputs("&gt;", out);
        else
            (void)fputc(*text, out);
    }
}

static void write_element(FILE *out, const char *begin, const char *text, const char *end)
{
    (void)fputs(begin, out);
    write_text(out, text);
    (void)fputs(end, out);
}

void bench_drawing_begin(FILE *out, double width, double height, const char *title,
                         const char *description)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\" role=\"img\" aria-labelledby=\"title description\">\n",
            width, height, width, height);
    write_element(out, "<title id=\"title\">", title, "</title>\n");
    write_element(out, "<desc id=\"description\">", description, "</desc>\n");
    (void)fputs(style, out);
    (void)fputs("<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n", out);
}

void bench_drawing_text(FILE *out, struct bench_point at, const char *anchor, const char *text)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", at.x, at.y, anchor);
    write_element(out, "", text, "</text>\n");
}

void bench_drawing_heading(FILE *out, struct bench_point at, const char *text)
{
    fprintf(out, "<text class=\"heading\" x=\"%.1f\" y=\"%.1f\">", at.x, at.y);
    write_element(out, "", text, "</text>\n");
}

void bench_drawing_bar(FILE *out, struct bench_point from, double width, double height,
                       const char *whose)
{
    fprintf(out, "<rect class=\"%s bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            whose, from.x, from.y, width, height);
}

void bench_drawing_curve(FILE *out, const struct bench_point *points, size_t count,
                         const char *whose)
{
    fprintf(out, "<polyline class=\"%s curve\" points=\"", whose);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%.1f,%.1f", i == 0 ? "" : " ", points[i].x, points[i].y);
    (void)fputs("\"/>\n", out);
}

void bench_drawing_end(FILE *out)
{
    (void)fputs("</svg>\n", out);
}
