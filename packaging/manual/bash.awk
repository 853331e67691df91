# SPDX-License-Identifier: Apache-2.0
# Completion for bash. With -f help.awk before it.

# jtiguard-bench-memory as "bench memory"
function words_typed(c) {
    sub(/^jtiguard-?/, "", c)
    if (c ~ /^bench-/)
        sub(/-/, " ", c)
    return c
}

function options_of(c,    i, list) {
    for (i = 1; i <= count[c, "item"]; i++)
        if (kind[c, i] == "OPTION")
            list = list (list != "" ? " " : "") flag[c, i]
    return list
}

# What the value of an option may be, as an answer of the shell's; empty: anything.
function values_of(c, i) {
    if (argument[c, i] == "FILE")
        return "-f"
    if (argument[c, i] == "FOLDER")
        return "-d"
    if (argument[c, i] == "STORE")
        return "-W \"memory host: redis:// rediss:// unix:// redis+sentinel:// redis+cluster://\""
    return words_of(item[c, i]) != "" ? "-W \"" words_of(item[c, i]) "\"" : ""
}

function print_values(typed, c,    i) {
    for (i = 1; i <= count[c, "item"]; i++)
        if (kind[c, i] == "OPTION" && argument[c, i] != "")
            print "    \"" typed " " flag[c, i] "\") echo '" values_of(c, i) "' ;;"
}

END {
    print "# bash completion of jtiguard, made of its help texts by packaging/manual\n"
    print "_jtiguard_options() {\n    case $1 in"
    for (at = 2; at <= command_count; at++)
        print "    \"" words_typed(commands[at]) "\") echo \"" options_of(with_options(commands[at])) "\" ;;"
    print "    esac\n}\n"
    print "_jtiguard_choices() {\n    case $1 in"
    for (at = 2; at <= command_count; at++)
        if (choices[commands[at]] != "")
            print "    \"" words_typed(commands[at]) "\") echo \"" choices[commands[at]] "\" ;;"
    print "    esac\n}\n"
    print "# The arguments of compgen for an option's value; nothing where the option takes none."
    print "_jtiguard_values() {\n    case \"$1 $2\" in"
    for (at = 2; at <= command_count; at++)
        print_values(words_typed(commands[at]), with_options(commands[at]))
    print "    *) return 1 ;;\n    esac\n}\n"
    print "_jtiguard() {"
    print "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}"
    print "    local command=${COMP_WORDS[1]} part=\"${COMP_WORDS[1]} ${COMP_WORDS[2]-}\" values"
    print "    if ((COMP_CWORD == 1)); then"
    for (at = 2; at <= command_count; at++)
        if (words_typed(commands[at]) !~ / /)
            all = all words_typed(commands[at]) " "
    print "        mapfile -t COMPREPLY < <(compgen -W \"" all "help --help --version\" -- \"$word\")"
    print "        return\n    fi"
    print "    [ -z \"$(_jtiguard_options \"$part\")\" ] || command=$part"
    print "    if values=$(_jtiguard_values \"$command\" \"$before\"); then"
    print "        [ -z \"$values\" ] || mapfile -t COMPREPLY < <(eval \"compgen $values -- \\\"\\$word\\\"\")"
    print "    elif [[ $word == -* ]]; then"
    print "        mapfile -t COMPREPLY < <(compgen -W \"$(_jtiguard_options \"$command\")\" -- \"$word\")"
    print "    elif ((COMP_CWORD == 2)) && values=$(_jtiguard_choices \"$command\") && [ -n \"$values\" ]; then"
    print "        mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$word\")"
    print "    else"
    print "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
    print "    fi\n}\n"
    print "complete -o filenames -F _jtiguard jtiguard"
}
