# browser.sh IPCMARK-REPORT SAMPLES: headless Chromium draws every chart, without an error on its console, at the width of
# a desk and of a phone. Skipped where there is no Chromium.
set -u
report=$1
samples=$2
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "chromium is not installed"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$report" "$samples/conformance.jsonl" "$samples/bench.jsonl" -o "$scratch/report.html" || exit 1

# What a reader would have to scroll sideways, and how many charts were drawn, as the frame around the page finds it.
frame() {
    cat <<HTML
<!DOCTYPE html><iframe src="report.html" style="width:$1px;height:900px;border:0"></iframe><script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => setTimeout(() => {
  const page = frame.contentDocument;
  document.title = "checked";
  document.body.dataset.wide = page.documentElement.scrollWidth > page.documentElement.clientWidth;
  document.body.dataset.figures = page.querySelectorAll("figure").length;
  document.body.dataset.drawn = page.querySelectorAll("figure[data-drawn] canvas[role=img][aria-label]").length;
  document.body.dataset.loaded = frame.contentWindow.performance.getEntriesByType("resource").length;
}, 100));
</script>
HTML
}

failures=0
for width in 1280 390; do
    frame $width >"$scratch/frame.html"
    timeout 100 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --allow-file-access-from-files \
        --user-data-dir="$scratch/profile" --enable-logging=stderr --virtual-time-budget=5000 --dump-dom \
        "file://$scratch/frame.html" >"$scratch/dom" 2>"$scratch/log"
    body=$(grep -o '<body[^>]*>' "$scratch/dom")
    figures=$(printf '%s' "$body" | sed -n 's/.*data-figures="\([0-9]*\)".*/\1/p')
    echo "$width px: $body"
    case $body in
    *"data-wide=\"false\""*"data-drawn=\"$figures\""*"data-loaded=\"0\""*) [ "${figures:-0}" -gt 0 ] ;;
    *) false ;;
    esac || {
        echo "$width px: wider than the screen, charts missing, or something was loaded"
        failures=$((failures + 1))
    }
    if grep 'CONSOLE' "$scratch/log"; then
        failures=$((failures + 1))
    fi
done
[ $failures -eq 0 ]
