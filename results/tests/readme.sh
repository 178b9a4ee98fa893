# readme.sh IPCMARK-REPORT SAMPLES SOURCE: the figures and pictures of the README are those of results/reports, made by the
# command that its README names.
set -u
report=$1
source=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/results/reports" || exit 1
cp "$source/README.md" "$scratch/" && cp "$source"/results/reports/*.jsonl "$scratch/results/reports/" || exit 1
cd "$scratch" || exit 1
"$report" results/reports/*.jsonl --readme README.md || exit 1
failures=0
diff -u "$source/README.md" README.md || failures=1
for picture in results/reports/*.svg; do
    cmp "$source/$picture" "$picture" || failures=1
    grep -qF "($picture)" README.md || { echo "README.md does not show $picture"; failures=1; }
done
for picture in "$source"/results/reports/*.svg; do
    [ -f "results/reports/${picture##*/}" ] || { echo "$picture is of no chart any more"; failures=1; }
done
for kept in "$source"/results/reports/*.jsonl "$source"/results/baselines/*.jsonl "$source"/results/gate/*.jsonl; do
    [ -f "$kept" ] || continue
    grep -nEo '"/(home|root|tmp|var|opt|usr|srv|mnt|work|build)[/"][^"]*' "$kept" | head -n 3 | grep . && {
        echo "$kept holds paths of the machine that it was made on"
        failures=1
    }
done
[ $failures -eq 0 ] || echo "after a change of what is kept, or of the report: ipcmark report results/reports/*.jsonl --readme README.md"
exit $failures
