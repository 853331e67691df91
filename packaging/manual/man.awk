# SPDX-License-Identifier: Apache-2.0
# A manual page a command, into OUTPUT/NAME.1. With -f help.awk before it, -v OUTPUT and -v VERSION.

function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    if (text ~ /^\./)
        text = "\\&" text
    return text
}

function put(text) { print text >file }

function literal(text) {
    if (!in_literal)
        put(".nf")
    in_literal = 1
    put(plain(text))
}

function end_literal() {
    if (in_literal)
        put(".fi")
    in_literal = 0
}

function put_option(c, i) {
    put(".TP")
    put((flag[c, i] == "--help" ? "\\fB\\-h\\fR, " : "") "\\fB" plain(flag[c, i]) "\\fR" \
        (argument[c, i] != "" ? " \\fI" plain(argument[c, i]) "\\fR" : ""))
    put(plain(item[c, i]))
}

# The options have a section of their own, with the headings that stand between them.
function put_options(c,    i, heading, opened) {
    for (i = 1; i <= count[c, "item"]; i++) {
        if (kind[c, i] == "HEADING")
            heading = item[c, i]
        if (kind[c, i] != "OPTION")
            continue
        if (!opened)
            put(".SH OPTIONS")
        opened = 1
        if (heading != "" && heading != "Options")
            put(".SS " plain(heading))
        heading = ""
        put_option(c, i)
    }
}

function put_examples(c,    i) {
    put(".SH EXAMPLES")
    for (i = 1; i <= count[c, "item"]; i++)
        if (kind[c, i] == "EXAMPLE")
            literal(item[c, i])
    end_literal()
}

# Exit codes have a section by themselves, wherever the help names them.
function put_description(c,    i, text, pending, begun, exits, is_exit) {
    put(".SH DESCRIPTION")
    for (i = 1; i <= count[c, "item"]; i++) {
        text = item[c, i]
        if (kind[c, i] == "LITERAL" && !is_exit) {
            literal(text)
        } else if (kind[c, i] == "TEXT") {
            is_exit = is_exit || text ~ /^Exit: /
            if (is_exit) {
                sub(/^Exit: /, "", text)
                exits = exits (exits != "" ? " " : "") text
                continue
            }
            end_literal()
            if (pending && begun)
                put(".PP")
            pending = 0
            begun = 1
            put(plain(text))
        } else if (kind[c, i] == "HEADING" && (text == "Commands" || text == "Subcommands")) {
            end_literal()
            put(".PP")
            put(text ":")
        }
        if (kind[c, i] == "BLANK") {
            is_exit = 0
            pending = 1
        }
    }
    end_literal()
    if (exits != "") {
        put(".SH EXIT STATUS")
        put(plain(exits))
    }
}

# The first page leads to all others, and each of them to it and to its own parts.
function is_related(c, other) {
    return other != c && (c == "jtiguard" || other == "jtiguard" || index(other, c "-") == 1)
}

function put_see_also(c,    i, names) {
    for (i = 1; i <= command_count; i++)
        if (is_related(c, commands[i]))
            names = names ".BR " plain(commands[i]) " (1),\n"
    if (c == "jtiguard-serve" || c == "jtiguard-config")
        names = names ".BR jtiguard\\-serve.json (5),\n"
    sub(/,\n$/, "", names)
    put(".SH SEE ALSO")
    put(names)
}

function put_page(c,    i) {
    file = OUTPUT "/" c ".1"
    put(".\\\" made of the help texts by packaging/manual")
    put(".TH \"" plain(toupper(c)) "\" 1 \"\" \"jtiguard " VERSION "\" \"User commands\"")
    put(".nh")
    put(".SH NAME")
    put(plain(c) " \\- " plain(summary[c]))
    put(".SH SYNOPSIS")
    for (i = 1; i <= count[c, "usage"]; i++)
        put((i > 1 ? ".br\n" : "") "\\fB" plain(usage[c, i]) "\\fR")
    put_description(c)
    put_options(c)
    put_examples(c)
    put_see_also(c)
    close(file)
}

END {
    summary["jtiguard"] = "stop a token from being used twice"
    for (at = 1; at <= command_count; at++)
        put_page(commands[at])
}
