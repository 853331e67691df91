# SPDX-License-Identifier: Apache-2.0
# Reads what `jtiguard COMMAND --help` prints, a file a command, for the scripts beside it:
#   commands[1 … command_count]   names of the files, in their order: jtiguard, jtiguard-check, …
#   usage[command, 1 … count[command, "usage"]]
#   kind[command, 1 … count[command, "item"]]  TEXT, LITERAL, BLANK, HEADING, OPTION or EXAMPLE, with
#     item[…] the line, and of an option flag[…], argument[…] and its help in item[…]
#   summary[command]              from the list of commands
#   choices[command]              what may follow the command, words apart by blanks
# and offers with_options(), words_of().

function add(what, text) {
    n = ++count[command, "item"]
    kind[command, n] = what
    item[command, n] = text
    return n
}

# "--store STORE   where …": one blank stands before an argument, which is written in capitals.
function add_option(line,    rest, n) {
    sub(/^ +(-h, )?/, "", line)
    rest = line
    sub(/^--[a-z-]+/, "", rest)
    n = add("OPTION", "")
    flag[command, n] = substr(line, 1, length(line) - length(rest))
    argument[command, n] = ""
    if (match(rest, /^ [A-Z][A-Z=]* +/)) {
        argument[command, n] = substr(rest, 2, RLENGTH - 1)
        sub(/ +$/, "", argument[command, n])
        rest = substr(rest, RLENGTH)
    }
    sub(/^ +/, "", rest)
    item[command, n] = rest
}

# "create|show|lost [PATH]", and "jtiguard config check".
function add_choices(line,    words, parts, n, i, j, m) {
    n = split(line, words, " ")
    for (i = 3; i <= n; i++)
        if (words[i] ~ /^[a-z-]+$/ && i == 3)
            choices[command] = choices[command] words[i] " "
        else if (index(words[i], "|") > 0) {
            m = split(words[i], parts, "|")
            for (j = 1; j <= m; j++)
                if (parts[j] ~ /^[a-z]+$/ && index(" " choices[command], " " parts[j] " ") == 0)
                    choices[command] = choices[command] parts[j] " "
        }
}

# The words of a help that is nothing but a list of them: "text or json (text)".
function words_of(text) {
    sub(/ \([^()]*\)$/, "", text)
    gsub(/ \(default\)/, "", text)
    if (text !~ /^[a-z_]+(, [a-z_]+)* or [a-z_]+$/)
        return ""
    gsub(/, | or /, " ", text)
    return text
}

# Whose options a command takes: config reads what serve reads, and its help says so in words.
function with_options(c) {
    return c == "jtiguard-config" ? "jtiguard-serve" : c
}

FNR == 1 {
    command = FILENAME
    sub(/.*\//, "", command)
    commands[++command_count] = command
    section = "usage"
    after_blank = 0
}

section == "usage" {
    if ($0 != "" && ($0 ~ /^[Uu]sage: / || $0 ~ /^ /)) {
        sub(/^([Uu]sage:)? +/, "")
        usage[command, ++count[command, "usage"]] = $0
        add_choices($0)
        next
    }
    section = "text"
}

/^$/ {
    add("BLANK", "")
    after_blank = 1
    next
}

after_blank && length($0) <= 30 && /^[A-Z][^.]*:$/ {
    section = substr($0, 1, length($0) - 1)
    add("HEADING", section)
    after_blank = 0
    next
}

{ after_blank = 0 }

section == "Examples" {
    add("EXAMPLE", substr($0, 3))
    next
}

/^ +(-h, )?--[a-z]/ {
    add_option($0)
    next
}

/^          / && kind[command, count[command, "item"]] == "OPTION" {
    sub(/^ +/, "")
    item[command, count[command, "item"]] = item[command, count[command, "item"]] " " $0
    next
}

(section == "Commands" || section == "Subcommands") && /^  [a-z]/ {
    name = $1
    text = $0
    sub(/^ +[a-z-]+ +/, "", text)
    summary[command "-" name] = text
    if (section == "Subcommands")
        choices[command] = choices[command] name " "
}

{ add(/^ / ? "LITERAL" : "TEXT", $0) }
