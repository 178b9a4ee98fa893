#!/bin/sh
# Fuzzes with what the preset `fuzz` has built, and goes on from where the last run ended.
#   run.sh EXECUTIONS [NAME…]   each so many times, one after the other
#   run.sh merge [NAME…]        adds to corpus/ what covers more: large inputs first, for few that cover much are enough
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${MMIPC_FUZZ_BUILD:-$here/../../build/fuzz}
[ $# -ge 1 ] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 64; }
what=$1
shift
# What an input freed is of no interest to the next ones: a small quarantine is much quicker.
export ASAN_OPTIONS="quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=2:detect_stack_use_after_return=0"
[ $# -ge 1 ] || set -- $(cd "$here/corpus" && ls)
for name in "$@"; do
    program=$(find "$build" -name "ref_fuzz_$name" -type f -perm -u+x | head -n 1)
    [ -n "$program" ] || { echo "$build has no ref_fuzz_$name: cmake --preset fuzz && cmake --build --preset fuzz" >&2; exit 1; }
    found=$build/corpus/$name
    options=
    [ ! -f "$here/$name.dict" ] || options="-dict=$here/$name.dict"
    mkdir -p "$found"
    if [ "$what" = merge ]; then
        for largest in 10 20 40 80; do
            rm -rf "$build/merge" && mkdir "$build/merge"
            ls -S "$found" | head -n "$largest" | while read -r file; do cp "$found/$file" "$build/merge/"; done
            "$program" -merge=1 -use_counters=0 -max_len=1024 "$here/corpus/$name" "$build/merge"
        done
    else
        nice "$program" -runs="$what" -max_len=1024 -timeout=20 -print_final_stats=1 -artifact_prefix="$build/$name-" $options \
            "$found" "$here/corpus/$name" 2>&1 | tee "$build/$name.log" | grep -E 'ERROR|does not hold|Test unit|stat::|DONE'
        ! grep -q 'Test unit written' "$build/$name.log" || exit 1
    fi
done
