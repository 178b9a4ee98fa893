#!/bin/sh
# Fuzzes with what the preset `fuzz` has built, and goes on from where the last run ended.
#   run.sh EXECUTIONS [NAME…]   one after the other, until each has run so many times: BUILD/executions says how often it has
#   run.sh merge [NAME…]        adds to corpus/ what covers more: large inputs first, of which few cover much, then the rest
# MMIPC_FUZZ_BUILD: another build directory. MMIPC_FUZZ_SECONDS: end each after so long, to be called again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${MMIPC_FUZZ_BUILD:-$here/../../build/fuzz}
[ $# -ge 1 ] || { sed -n '2,5s/^# *//p' "$0" >&2; exit 64; }
what=$1
shift
build=$(cd "$build" && pwd)
# What an input freed is of no interest to the next ones: a small quarantine is much quicker.
export ASAN_OPTIONS="quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=2:detect_stack_use_after_return=0"
[ $# -ge 1 ] || set -- $(cd "$here/corpus" && ls)
# Files in memory are much quicker, too.
scratch=$(mktemp -d -p /dev/shm mmipc-fuzz.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
cd "$scratch"

# What a fuzzer reads as steps has a number of them; of longer inputs the rest would be looked at by nobody.
longest() {
    case $1 in
    handshake) echo 128 ;;
    writer) echo 96 ;;
    *) echo 1024 ;;
    esac
}

executions() {
    touch "$build/executions"
    awk -v name="$1" '$1 == name { sum += $2 } END { print sum + 0 }' "$build/executions"
}

fuzz() {
    left=$((what - $(executions "$name")))
    [ "$left" -gt 0 ] || return 0
    # the functions' names come from a child process, whose pipes would seem to be left open by the input
    nice "$program" -runs="$left" -max_total_time="${MMIPC_FUZZ_SECONDS:-0}" -max_len="$(longest "$name")" -timeout=20 -entropic=0 \
        -print_funcs=0 -print_final_stats=1 -artifact_prefix="$build/$name-" $options "$found" "$here/corpus/$name" 2>&1 |
        tee "$build/$name.log" | grep -E 'ERROR|does not hold|Test unit|stat::|DONE'
    sed -n "s/^stat::number_of_executed_units: */$name /p" "$build/$name.log" >>"$build/executions"
    ! grep -q 'Test unit written' "$build/$name.log" || exit 1
}

for name in "$@"; do
    program=$(find "$build" -name "ref_fuzz_$name" -type f -perm -u+x | head -n 1)
    [ -n "$program" ] || { echo "$build has no ref_fuzz_$name: cmake --preset fuzz && cmake --build --preset fuzz" >&2; exit 1; }
    found=$build/corpus/$name
    options=
    [ ! -f "$here/$name.dict" ] || options="-dict=$here/$name.dict"
    mkdir -p "$found"
    if [ "$what" = merge ]; then
        for largest in 10 20 40 80 1000000; do
            rm -rf "$build/merge" && mkdir "$build/merge"
            ls -S "$found" | head -n "$largest" | while read -r file; do cp "$found/$file" "$build/merge/"; done
            "$program" -merge=1 -use_counters=0 -max_len=1024 "$here/corpus/$name" "$build/merge"
        done
    else
        fuzz
    fi
done
