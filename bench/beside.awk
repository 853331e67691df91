# SPDX-License-Identifier: Apache-2.0
#
# What bench/beside has noted, compared. Lines are "load VALUE", "busy SECONDS stolen SECONDS" and the like,
# and "figure RUN WHO THREADS NAME VALUE".

$1 == "load" {
    if (!loads++)
        load_before = $2
    if ($2 > load_most)
        load_most = $2
}
$1 == "processors" { processors = $2 }
$1 == "busy" { busy = $2 - busy_before; stolen = $4 - stolen_before; busy_before = $2; stolen_before = $4 }
$1 == "up" { took = $2 - up_before; up_before = $2 }
$1 == "own" { own = $2 }
$1 == "figure" { figures[$3, $4, $5, $2] = $6 }

# ---- samples: one a run ----

# "1 fresh_ns", or of two the first divided by the second, "1 fresh_ns / 2 fresh_ns"; "" where one is missing
function sample(who, what, run,    at, value) {
    split(what, at, " ")
    if (!((who, at[1], at[2], run) in figures))
        return ""
    value = figures[who, at[1], at[2], run]
    if (at[3] == "")
        return value
    if (!((who, at[4], at[5], run) in figures))
        return ""
    return value / figures[who, at[4], at[5], run]
}

# Into sorted[1 ...]; how many there are.
function sort_in(value, count,    i) {
    for (i = count; i > 0 && sorted[i] > value; i--)
        sorted[i + 1] = sorted[i]
    sorted[i + 1] = value
    return count + 1
}

function set_middle(into, count) {
    stats[into, "median"] = count ? (sorted[int((count + 1) / 2)] + sorted[int(count / 2) + 1]) / 2 : ""
    stats[into, "least"] = count ? sorted[1] : ""
    stats[into, "most"] = count ? sorted[count] : ""
}

# stats["base"], stats["now"] and stats["ratio"], the last run by run
function compare(base_what, now_what,    run, base, now, bases, nows, ratios) {
    split("", sorted)
    for (run = 1; run <= runs; run++)
        if ((base = sample("base", base_what, run)) != "")
            bases = sort_in(base, bases)
    set_middle("base", bases)
    split("", sorted)
    for (run = 1; run <= runs; run++)
        if ((now = sample("now", now_what, run)) != "")
            nows = sort_in(now, nows)
    set_middle("now", nows)
    split("", sorted)
    for (run = 1; run <= runs; run++) {
        base = sample("base", base_what, run)
        now = sample("now", now_what, run)
        if (base != "" && now != "" && base > 0)
            ratios = sort_in(now / base, ratios)
    }
    set_middle("ratio", ratios)
}

# ---- printing ----

function number(value, digits) {
    return value == "" ? "-" : sprintf("%." digits "f", value)
}

function verdict(value, aim, bound, better) {
    if (value == "")
        return "not measured"
    if (better == "less" ? value <= aim : value >= aim)
        return "aim met"
    return (better == "less" ? value <= bound : value >= bound) ? "bound met" : "missed"
}

function json(value) {
    return value == "" ? "null" : sprintf("%.6g", value)
}

function print_json(name, judged, aim, bound, word,    at, part, parts) {
    printf "%s{\"name\":\"%s\"", rows++ ? "," : "", name
    split("base now ratio", parts, " ")
    for (at = 1; at <= 3; at++) {
        part = parts[at]
        printf ",\"%s\":%s,\"%s_min\":%s,\"%s_max\":%s", part, json(stats[part, "median"]), part,
            json(stats[part, "least"]), part, json(stats[part, "most"])
    }
    printf ",\"judged\":\"%s\",\"aim\":%s,\"bound\":%s,\"verdict\":\"%s\"}", judged, aim, bound, word
}

# judged: "ratio" to the base, or "now", what is found now by itself. better: "less" or "more".
function row(name, label, base_what, now_what, digits, judged, aim, bound, better,    word, value) {
    compare(base_what, now_what)
    if (stats["now", "median"] == "" && stats["base", "median"] == "")
        return
    value = stats[judged, "median"]
    word = verdict(value, aim, bound, better)
    if (form == "json") {
        print_json(name, judged, aim, bound, word)
    } else if (form == "markdown") {
        printf "| %s | %s | %s | %s (%s to %s) | %s | %s: %s |\n", label, number(stats["base", "median"], digits),
            number(stats["now", "median"], digits), number(value, 2), number(stats[judged, "least"], 2),
            number(stats[judged, "most"], 2), aim, bound, word == "missed" ? "**missed**" : word
    } else {
        printf "%-36s%9s%9s%9s%8s%8s%6s%6s  %s\n", label, number(stats["base", "median"], digits),
            number(stats["now", "median"], digits), number(value, 2), number(stats[judged, "least"], 2),
            number(stats[judged, "most"], 2), aim, bound, word
    }
}

function share(seconds) {
    return took > 0 ? 100 * seconds / took / processors : 0
}

function others() {
    return busy > own ? share(busy - own) : 0
}

function print_head() {
    if (form == "json") {
        printf "{\"entries\":%d,\"runs\":%d,\"processors\":%d,\"load_before\":%s,\"load_max\":%s", entries, runs,
            processors, load_before, load_most
        printf ",\"others_percent\":%.2f,\"stolen_percent\":%.2f,\"rows\":[", others(), share(stolen)
        return
    }
    printf "%d entries, %d run%s of each program in random order, medians. %d processors; load %s before, at most %s;\n",
        entries, runs, runs == 1 ? "" : "s", processors, load_before, load_most
    printf "other programs took %.1f %% of the processors meanwhile, and the host %.1f %%. Ratios are taken run by run.\n\n",
        others(), share(stolen)
    if (form == "markdown")
        print "| | base | now | ratio, or now (min to max) | aim | at the least |\n|---|---|---|---|---|---|"
    else
        printf "%-36s%9s%9s%9s%8s%8s%6s%6s\n", "", "base", "now", "judged", "least", "most", "aim", "bound"
}

END {
    print_head()
    row("fresh_1", "fresh, growth, 1 thread, ns", "1 fresh_ns", "1 fresh_ns", 0, "ratio", 0.62, 0.72, "less")
    row("fresh_2", "fresh, growth, 2 threads, ns", "2 fresh_ns", "2 fresh_ns", 0, "ratio", 0.45, 0.55, "less")
    row("scaling", "throughput of 2 threads to 1", "1 fresh_ns / 2 fresh_ns", "1 fresh_ns / 2 fresh_ns", 2, "now", 1.85, 1.6,
        "more")
    row("full_1", "fresh, full table, 1 thread, ns", "1 fresh_at_full_ns", "1 fresh_at_full_ns", 0, "ratio", 0.57, 0.65, "less")
    row("full_2", "fresh, full table, 2 threads, ns", "2 fresh_at_full_ns", "2 fresh_at_full_ns", 0, "ratio", 0.60, 0.70, "less")
    row("duplicate", "duplicate, ns", "1 duplicate_ns", "1 duplicate_ns", 0, "ratio", 0.72, 0.82, "less")
    row("release", "release, ns", "1 release_ns", "1 release_ns", 0, "ratio", 0.65, 0.80, "less")
    row("batch_fresh", "fresh, 32 at once, to single, ns", "1 fresh_ns", "1 batch_fresh_ns", 0, "ratio", 0.48, 0.58, "less")
    row("batch_duplicate", "duplicate, 32 at once, to single, ns", "1 duplicate_ns", "1 batch_duplicate_ns", 0, "ratio", 0.32,
        0.40, "less")
    row("floor", "fresh, to the floor program", "1 fresh_ns / 1 floor_ns", "1 fresh_ns / 1 floor_ns", 2, "now", 1.4, 1.6, "less")
    row("bytes", "bytes an entry at worst", "1 bytes_per_entry_worst", "1 bytes_per_entry_worst", 1, "now", 38, 40, "less")
    row("fill_max", "longest call of a fill, us", "1 fill_max_us", "1 fill_max_us", 0, "ratio", 0.5, 1.0, "less")
    row("refusal", "a refusal with an err to one without", "1 refusal_told_ns / 1 refusal_ns",
        "1 refusal_told_ns / 1 refusal_ns", 2, "now", 1.05, 1.1, "less")
    row("host_fresh", "host store to memory: fresh", "1 host_fresh_ns / 1 fresh_ns", "1 host_fresh_ns / 1 fresh_ns", 2,
        "now", 1.05, 1.1, "less")
    row("host_full", "host store to memory: full table", "1 host_fresh_at_full_ns / 1 fresh_at_full_ns",
        "1 host_fresh_at_full_ns / 1 fresh_at_full_ns", 2, "now", 1.05, 1.1, "less")
    row("host_duplicate", "host store to memory: duplicate", "1 host_duplicate_ns / 1 duplicate_ns",
        "1 host_duplicate_ns / 1 duplicate_ns", 2, "now", 1.05, 1.1, "less")
    row("host_attach", "host store, to open it, us", "1 host_attach_us", "1 host_attach_us", 0, "now", 20, 50, "less")
    row("host_repair", "host store, repair, us", "1 host_repair_us", "1 host_repair_us", 0, "now", 700, 1000, "less")
    row("host_scaling", "host store, 2 processes to 1", "1 host_fresh_scaling", "1 host_fresh_scaling", 2, "now", 1.85, 1.7,
        "more")
    if (form == "json")
        print "]}"
}
