"""browser.py IPCMARK-REPORT SAMPLES [PICTURES]: headless Chromium draws every chart of a report, light and dark, at the
width of a desk and of a phone; nothing is asked of a network, nothing is said on the console, the buttons do what they
say. PICTURES is a folder for screenshots. Skipped (77) where there is no Chromium."""

import os
import subprocess
import sys
import tempfile

import chromium

SCREENS = ((1280, 900, False), (1280, 900, True), (390, 844, False), (390, 844, True))

# What the page says of itself: see report.js for the names.
LOOK = """(() => {
  const page = document.documentElement;
  const figures = [...document.querySelectorAll("figure[data-kind]")];
  const labels = (figure) => {
    const chart = Chart.getChart(figure.querySelector("canvas")), axis = chart.scales.x;
    chart.ctx.font = Chart.helpers.toFont(axis.options.ticks.font).string;
    let end = -Infinity, overlaps = 0;
    axis.ticks.forEach((tick, index) => {
      if (!tick.label) return;
      const middle = axis.getPixelForTick(index), half = chart.ctx.measureText(tick.label).width / 2;
      if (middle - half < end) overlaps += 1;
      end = middle + half;
    });
    return overlaps;
  };
  const colours = (figure) => {
    const canvas = figure.querySelector("canvas");
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const found = new Set();
    for (let i = 0; i < pixels.length && found.size < 4; i += 1) found.add(pixels[i]);
    return found.size;
  };
  // What was not measured has no point, and no line goes across it.
  const bridged = (figure) => {
    const sets = Chart.getChart(figure.querySelector("canvas")).data.datasets;
    return [...figure.querySelectorAll("tr[data-series] td[data-x]:not([data-y])")].filter((cell) => {
      const set = sets.find((one) => one.label === cell.parentElement.dataset.series);
      return set && (set.spanGaps || !set.data.some(({ x, y }) => x === Number(cell.dataset.x) && Number.isNaN(y)));
    }).length;
  };
  const drawn = figures.filter((figure) => figure.querySelector("canvas[role=img][aria-label][aria-describedby]"));
  return {
    wide: page.scrollWidth > page.clientWidth,
    figures: figures.length,
    drawn: drawn.length,
    blank: drawn.filter((figure) => colours(figure) < 4).map((figure) => figure.querySelector("h3").textContent),
    overlapping: drawn.filter((figure) => labels(figure) > 0).map((figure) => figure.querySelector("h3").textContent),
    gaps: document.querySelectorAll("figure tr[data-series] td[data-x]:not([data-y])").length,
    bridged: drawn.filter((figure) => bridged(figure) > 0).map((figure) => figure.querySelector("h3").textContent),
    tableless: drawn.filter((figure) => !document.getElementById(
      figure.querySelector("canvas").getAttribute("aria-describedby"))).length,
    nameless: [...document.querySelectorAll("button")].filter((button) => !button.textContent.trim()).length,
    ground: getComputedStyle(document.body).backgroundColor,
  };
})()"""

# How many lines or bars of the first chart with that button are to be seen.
SEEN = """(() => {
  const chart = Chart.getChart(document.querySelector("#pressed").closest("figure").querySelector("canvas"));
  return chart.getSortedVisibleDatasetMetas().length;
})()"""
STATE = 'document.querySelector("#pressed").getAttribute("aria-pressed")'


def expect(failures, what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got}, not {wanted}")


def look(browser, failures, where):
    seen = browser.value(LOOK)
    expect(failures, f"{where}: figures without a chart", seen["figures"] - seen["drawn"], 0)
    if seen["figures"] == 0:
        failures.append(f"{where}: there is no figure")
    if seen["gaps"] == 0:
        failures.append(f"{where}: the samples have no limit that is missing at a size")
    for name, wanted in (("wide", False), ("blank", []), ("overlapping", []), ("bridged", []), ("tableless", 0),
                         ("nameless", 0)):
        expect(failures, f"{where}: {name}", seen[name], wanted)
    return seen["ground"]


def toggle(browser, failures, where, button, change):
    """Presses a button with the space bar, twice: lines go and come, and it says so."""
    if not browser.value(f"(() => {{ const button = document.querySelector({button!r}); if (!button) return false;"
                         " document.querySelectorAll('#pressed').forEach((old) => old.removeAttribute('id'));"
                         " button.id = 'pressed'; button.focus(); return document.activeElement === button; })()"):
        failures.append(f"{where}: there is no {button}, or the keyboard cannot reach it")
        return
    before, state = browser.value(SEEN), browser.value(STATE)
    browser.press(" ", 32)
    during = browser.value(SEEN)
    if browser.value(STATE) == state or (during - before) * change <= 0:
        failures.append(f"{where}: {button}: {before} lines, pressed {state}; then {during}, {browser.value(STATE)}")
    browser.press(" ", 32)
    expect(failures, f"{where}: {button} pressed twice", (browser.value(SEEN), browser.value(STATE)), (before, state))


def check(browser, url, failures, pictures):
    grounds = set()
    for width, height, dark in SCREENS:
        where = f"{width} px, {'dark' if dark else 'light'}"
        browser.show(url, width, height, dark)
        grounds.add(look(browser, failures, where))
        if pictures:
            browser.picture(os.path.join(pictures, f"{width}-{'dark' if dark else 'light'}.png"))
        toggle(browser, failures, where, "figure button.series[aria-pressed=true]", -1)
        toggle(browser, failures, where, "figure button.variant", 1)
        failures += [f"{where}: {complaint}" for complaint in browser.complaints(url)]
    expect(failures, "grounds, light and dark", len(grounds), 2)


def main():
    report, samples = sys.argv[1:3]
    pictures = sys.argv[3] if len(sys.argv) > 3 else None
    program = chromium.find()
    if program is None:
        print("chromium is not installed")
        return 77
    failures = []
    with tempfile.TemporaryDirectory(prefix="ipcmark-report.") as scratch:
        page = os.path.join(scratch, "report.html")
        files = [os.path.join(samples, name + ".jsonl") for name in ("conformance", "bench")]
        subprocess.run([report, *files, "-o", page], check=True)
        with chromium.Browser(program) as browser:
            check(browser, "file://" + page, failures, pictures)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
