# SPDX-License-Identifier: Apache-2.0
# The manual page of the file of settings, of the help of `serve`. With -f help.awk before it,
# -v OUTPUT and -v VERSION.

function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    return text
}

function name_of(option) {
    sub(/^--/, "", option)
    gsub(/-/, "_", option)
    return option
}

function type_of(text) {
    if (text == "")
        return "true or false"
    if (text == "N")
        return "number"
    return text == "JSON" ? "array" : "\\fI" plain(text) "\\fR"
}

END {
    file = OUTPUT "/jtiguard-serve.json.5"
    c = "jtiguard-serve"
    print ".\\\" made of the help texts by packaging/manual" >file
    print ".TH \"JTIGUARD\\-SERVE.JSON\" 5 \"\" \"jtiguard " VERSION "\" \"File formats\"" >file
    print ".SH NAME\njtiguard\\-serve.json \\- settings of jtiguard serve" >file
    print ".SH SYNOPSIS\n\\fBjtiguard serve \\-\\-config\\fR \\fIFILE\\fR" >file
    print ".SH DESCRIPTION\nOne JSON object. Each member is one setting. An unknown name is an error." >file
    print "What is neither a number nor true or false is a string." >file
    print ".PP\nA setting of the command line or of the environment (JTIGUARD_ and the name in capitals)" >file
    print "is stronger than the file. A list is an array of strings. A duration is a string with a number" >file
    print "and its unit: 30s, 5m, 24h, 2d." >file
    print ".SH SETTINGS" >file
    for (i = 1; i <= count[c, "item"]; i++) {
        if (kind[c, i] == "HEADING" && item[c, i] != "Examples")
            print ".SS " plain(item[c, i]) >file
        if (kind[c, i] != "OPTION" || flag[c, i] == "--help" || flag[c, i] == "--config")
            continue
        print ".TP\n\\fB" plain(name_of(flag[c, i])) "\\fR: " type_of(argument[c, i]) >file
        print plain(item[c, i]) >file
    }
    print ".SH EXAMPLES\n.nf" >file
    print "{\"issuer\":\"https://id.example.com\",\"audience\":\"https://api.example.com\"," >file
    print " \"store_file\":\"/run/secrets/store\",\"log_format\":\"json\"}" >file
    print ".fi" >file
    print ".SH SEE ALSO\n.BR jtiguard\\-serve (1),\n.BR jtiguard\\-config (1)" >file
}
