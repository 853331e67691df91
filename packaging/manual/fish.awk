# SPDX-License-Identifier: Apache-2.0
# Completion for fish. With -f help.awk before it.

function described(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/'/, "\\'", text)
    return "'" text "'"
}

# jtiguard-bench-memory as "bench memory"
function words_typed(c) {
    sub(/^jtiguard-/, "", c)
    if (c ~ /^bench-/)
        sub(/-/, " ", c)
    return c
}

function values_of(c, i) {
    if (argument[c, i] == "")
        return ""
    if (argument[c, i] ~ /^(FILE|FOLDER)$/)
        return " -r -F"
    if (argument[c, i] == "STORE")
        return " -x -a 'memory host: redis:// rediss:// unix:// redis+sentinel:// redis+cluster://'"
    return words_of(item[c, i]) != "" ? " -x -a '" words_of(item[c, i]) "'" : " -x"
}

function print_command(name,    i, when, c) {
    when = "complete -c jtiguard -n '__jtiguard_is " words_typed(name) "'"
    if (choices[name] != "")
        print "complete -c jtiguard -f -n '__jtiguard_is " words_typed(name) "; and __jtiguard_words 2' -a '" \
            choices[name] "'"
    c = with_options(name)
    for (i = 1; i <= count[c, "item"]; i++)
        if (kind[c, i] == "OPTION")
            print when " -l " substr(flag[c, i], 3) (flag[c, i] == "--help" ? " -s h" : "") \
                values_of(c, i) " -d " described(item[c, i])
}

END {
    print "# fish completion of jtiguard, made of its help texts by packaging/manual\n"
    print "# Are these the first words behind the program?"
    print "function __jtiguard_is\n    set -l words (commandline -opc)"
    print "    test (count $words) -gt (count $argv); or return 1"
    print "    for i in (seq (count $argv))"
    print "        test $words[(math $i + 1)] = $argv[$i]; or return 1"
    print "    end\nend\n"
    print "# Are there so many words so far?"
    print "function __jtiguard_words\n    test (count (commandline -opc)) -eq $argv[1]\nend\n"
    for (at = 2; at <= command_count; at++)
        if (words_typed(commands[at]) !~ / /)
            print "complete -c jtiguard -f -n '__jtiguard_words 1' -a " words_typed(commands[at]) " -d " \
                described(summary[commands[at]])
    for (at = 2; at <= command_count; at++)
        print_command(commands[at])
}
