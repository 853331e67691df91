# SPDX-License-Identifier: Apache-2.0
# Completion for zsh. With -f help.awk before it.

# In a specification brackets and colons have a meaning, and it is quoted.
function described(text) {
    gsub(/\[/, "(", text)
    gsub(/\]/, ")", text)
    gsub(/\\/, "", text)
    gsub(/:/, "\\:", text)
    gsub(/'/, "'\\''", text)
    return text
}

function values_of(c, i) {
    if (argument[c, i] == "FILE")
        return "_files"
    if (argument[c, i] == "FOLDER")
        return "_files -/"
    if (argument[c, i] == "STORE")
        return "(memory host\\: redis\\:// rediss\\:// unix\\:// redis+sentinel\\:// redis+cluster\\://)"
    return words_of(item[c, i]) != "" ? "(" words_of(item[c, i]) ")" : ""
}

function print_arguments(name, indent,    i, c) {
    c = with_options(name)
    print indent "_arguments \\"
    for (i = 1; i <= count[c, "item"]; i++)
        if (kind[c, i] == "OPTION")
            print indent "    '" flag[c, i] "[" described(item[c, i]) "]" \
                (argument[c, i] != "" ? ":" argument[c, i] ":" values_of(c, i) : "") "' \\"
    if (choices[name] != "")
        print indent "    '1:what:(" choices[name] ")' \\"
    print indent "    '*:file:_files'"
}

function print_command(c, name) {
    print "    " name ")"
    print "        shift words\n        ((CURRENT--))"
    print_arguments(c, "        ")
    print "        ;;"
}

function print_parts(c,    at, name) {
    for (at = 1; at <= command_count; at++)
        if (index(commands[at], c "-") == 1) {
            name = substr(commands[at], length(c) + 2)
            print "    \"" substr(c, 10) " " name "\")"
            print "        shift 2 words\n        ((CURRENT -= 2))"
            print_arguments(commands[at], "        ")
            print "        ;;"
        }
}

END {
    print "#compdef jtiguard"
    print "# zsh completion of jtiguard, made of its help texts by packaging/manual\n"
    print "_jtiguard() {\n    local -a commands\n    commands=("
    for (at = 2; at <= command_count; at++)
        if (commands[at] !~ /^jtiguard-bench-/)
            print "        '" substr(commands[at], 10) ":" described(summary[commands[at]]) "'"
    print "    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n        return\n    fi"
    print "    case \"${words[2]} ${words[3]}\" in"
    print_parts("jtiguard-bench")
    for (at = 2; at <= command_count; at++)
        if (commands[at] !~ /^jtiguard-bench-/)
            print_command(commands[at], substr(commands[at], 10) "\\ *")
    print "    esac\n}\n\n_jtiguard \"$@\""
}
