# command.sh IPCMARK-REPORT SAMPLES: options, exit codes and what is said on standard error.
set -u
report=$1
samples=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failures=0

# expect NAME EXIT TEXT COMMAND…: the exit code, and TEXT somewhere in what it prints.
expect() {
    name=$1 code=$2 text=$3
    shift 3
    "$@" >out 2>&1
    got=$?
    if [ $got -ne "$code" ] || ! grep -qF -- "$text" out; then
        echo "$name: exit $got instead of $code, or no \"$text\" in:"
        cat out
        failures=$((failures + 1))
    fi
}

printf '%s\n' '{"record":"header","format":1,"kind":"bench","environment":{}}' 'garbage' >garbage.jsonl

expect help 0 'Exit codes:' "$report" --help
expect version 0 'ipcmark report ' "$report" --version
expect nothing 64 'which result files?' "$report"
expect option 64 'there is no option --loud' "$report" --loud
expect value 64 'a value is missing after --output' "$report" --output
expect format 64 'the formats are html, text and markdown' "$report" --format pdf "$samples/bench.jsonl"
expect absent 3 'absent.jsonl: No such file' "$report" absent.jsonl
expect garbage 3 'garbage.jsonl:2: not JSON' "$report" garbage.jsonl
expect folder 3 'No such file or directory' "$report" "$samples/bench.jsonl" -o no/such/folder/r.html
expect written 0 'wrote r.html' "$report" "$samples/conformance.jsonl" "$samples/bench.jsonl" -o r.html
expect page 0 '<!DOCTYPE html>' "$report" "$samples/conformance.jsonl" -o -
expect markdown 0 '| Conformance |' "$report" -f markdown "$samples/conformance.jsonl"
expect text 0 'One way, both awake' "$report" -f text "$samples/bench.jsonl"
expect several 0 'better than in bench' "$report" -f text "$samples/bench.jsonl" "$samples/faster.jsonl"
expect twice 3 'are the same run' "$report" "$samples/bench.jsonl" "$samples/bench.jsonl"
expect stdin 0 '| Conformance |' sh -c '"$0" -f markdown - <"$1"' "$report" "$samples/conformance.jsonl"

# What is not a regular file is written into, not replaced.
mkfifo fifo
: >target
ln -s target link
cat fifo >piped &
expect fifo 0 'wrote fifo' "$report" -f markdown "$samples/conformance.jsonl" -o fifo
[ -p fifo ] || { echo "the FIFO was replaced"; failures=$((failures + 1)); kill $!; }
wait $!
expect link 0 'wrote link' "$report" -f markdown "$samples/conformance.jsonl" -o link
[ -h link ] || { echo "the link was replaced"; failures=$((failures + 1)); }
cmp piped target && [ -s target ] || { echo "the FIFO or the link got no report"; failures=$((failures + 1)); }
ln -s /dev/full full
expect full 3 'No space left' "$report" -f markdown "$samples/conformance.jsonl" -o full
rm -f fifo link full target piped

# Pictures and a README alone, without a page; what has no marks is left as it was.
mkdir pictures
expect svg 0 'wrote pictures/one-way-reader-asleep-64-b-1-1.svg' "$report" --svg pictures "$samples/bench.jsonl"
expect nowhere 3 'nowhere/' "$report" --svg nowhere "$samples/bench.jsonl"
cp "$samples/bench.jsonl" pictures/
printf 'a\n%s\n%s\nb\n' '<!-- figures: written by ipcmark report --readme -->' '<!-- figures: end -->' >README.md
expect readme 0 'wrote README.md' "$report" --readme README.md pictures/bench.jsonl
grep -qF '](pictures/messages-a-second-by-size.svg)' README.md || { echo "no picture in README.md"; failures=$((failures + 1)); }
mkdir -p pictures/deep
printf '%s\n%s\n' '<!-- figures: written by ipcmark report --readme -->' '<!-- figures: end -->' >pictures/deep/README.md
expect deep 0 'wrote pictures/deep/README.md' "$report" --readme pictures/deep/README.md pictures/bench.jsonl
grep -qF '](../messages-a-second-by-size.svg)' pictures/deep/README.md || { echo "no picture in deep/README.md"; failures=$((failures + 1)); }
echo 'no marks' >bare.md
expect bare 3 'it has no place for figures' "$report" --readme bare.md pictures/bench.jsonl
[ "$(cat bare.md)" = 'no marks' ] || { echo "bare.md was changed"; failures=$((failures + 1)); }
rm -rf pictures README.md bare.md

[ -s r.html ] || { echo "r.html was not written"; failures=$((failures + 1)); }
[ "$(ls | sort | tr '\n' ' ')" = 'garbage.jsonl out r.html ' ] || { echo "left behind:"; ls; failures=$((failures + 1)); }
[ $failures -eq 0 ]
