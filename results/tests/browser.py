"""browser.py IPCMARK-REPORT SAMPLES [PICTURES]: headless Chromium draws every chart of a report, light and dark, at the
width of a desk and of a phone; nothing is asked of a network, nothing is said on the console, the buttons do what they
say, links lead somewhere, words can be read against their ground, and paper is light. So of two runs side by side, and of
conformance alone. PICTURES is a folder for screenshots. Skipped (77) where there is no Chromium."""

import os
import subprocess
import sys
import tempfile

import chromium

# What is said of each page, and the samples that it is made from; the first is looked at further.
PAGES = {"": ("conformance", "bench"), "side by side, ": ("bench", "faster"), "conformance alone, ": ("conformance",)}
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
  // A curve goes on as it was measured, and is not piled up where another one ends.
  const piled = (figure) => Chart.getChart(figure.querySelector("canvas")).data.datasets.filter(({ data }) =>
    data.some(({ x, y }, at) => at > 0 && x === data[at - 1].x && y !== data[at - 1].y)).length;
  const drawn = figures.filter((figure) => figure.querySelector("canvas[role=img][aria-label][aria-describedby]"));
  return {
    wide: page.scrollWidth > page.clientWidth,
    figures: figures.length,
    drawn: drawn.length,
    blank: drawn.filter((figure) => colours(figure) < 4).map((figure) => figure.querySelector("h3").textContent),
    overlapping: drawn.filter((figure) => labels(figure) > 0).map((figure) => figure.querySelector("h3").textContent),
    gaps: document.querySelectorAll("figure tr[data-series] td[data-x]:not([data-y])").length,
    bridged: drawn.filter((figure) => bridged(figure) > 0).map((figure) => figure.querySelector("h3").textContent),
    piled: drawn.filter((figure) => figure.dataset.kind === "line" && piled(figure) > 0).map((figure) => figure.querySelector("h3").textContent),
    tableless: drawn.filter((figure) => !document.getElementById(
      figure.querySelector("canvas").getAttribute("aria-describedby"))).length,
    nameless: [...document.querySelectorAll("button")].filter((button) => !button.textContent.trim()).length,
    ground: getComputedStyle(document.body).backgroundColor,
  };
})()"""

# Opens what is folded away; its charts are drawn then.
OPEN = """(() => Promise.all([...document.querySelectorAll("details.more")].map((more) => new Promise((done) => {
  more.addEventListener("toggle", () => done(more.querySelectorAll("canvas").length > 0));
  more.open = true;
}))))()"""

# Words whose colour is too near to that of their ground (WCAG AA: 4.5), and headings that leave out a level.
READ = """(() => {
  const parse = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const groundOf = (element) => {
    for (; element; element = element.parentElement) {
      const own = parse(getComputedStyle(element).backgroundColor);
      if (own.length === 3 || own[3] === 1) return own;
    }
    return [255, 255, 255];
  };
  const pale = [...document.querySelectorAll("body *")].filter((element) => {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!words || ["SCRIPT", "STYLE"].includes(element.tagName)) return false;
    const [one, other] = [parse(getComputedStyle(element).color), groundOf(element)].map(luminance).sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05) < 4.5;
  });
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1]));
  return {
    pale: [...new Set(pale.map((element) => `${element.tagName}.${element.className}: ${element.textContent.slice(0, 30)}`))],
    skipped: levels.filter((level, at) => level > (at ? levels[at - 1] : 0) + 1).length,
    first: levels[0],
  };
})()"""

# Links within the page that lead nowhere.
DEAD = """[...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href"))
  .filter((href) => !document.getElementById(decodeURIComponent(href.slice(1))))"""

# The colours of the charts' axes, which must be those of the page.
AXES = """[...new Set([...document.querySelectorAll("canvas")].map((canvas) => Chart.getChart(canvas).options.scales.x.ticks.color))]"""

# What is printed: light, as high and wide as paper has it.
PRINTED = """(() => ({
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  ink: getComputedStyle(document.documentElement).getPropertyValue("--ink").trim(),
  axes: %s,
}))()""" % AXES

# How many lines or bars of the first chart with that button are to be seen.
SEEN = """(() => {
  const chart = Chart.getChart(document.querySelector("#pressed").closest("figure").querySelector("canvas"));
  return chart.getSortedVisibleDatasetMetas().length;
})()"""
STATE = 'document.querySelector("#pressed").getAttribute("aria-pressed")'


def expect(failures, what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got}, not {wanted}")


def look(browser, failures, where, measured):
    """measured: whether there are benchmarks."""
    expect(failures, f"{where}: what was opened has charts", set(browser.value(OPEN)), {True} if measured else set())
    seen, read = browser.value(LOOK), browser.value(READ)
    expect(failures, f"{where}: words that are too pale", read["pale"], [])
    expect(failures, f"{where}: headings", (read["first"], read["skipped"]), (1, 0))
    expect(failures, f"{where}: links that lead nowhere", browser.value(DEAD), [])
    expect(failures, f"{where}: figures without a chart", seen["figures"] - seen["drawn"], 0)
    expect(failures, f"{where}: there are figures", seen["figures"] > 0, measured)
    if measured and seen["gaps"] == 0:
        failures.append(f"{where}: the samples have no limit that is missing at a size")
    for name, wanted in (("wide", False), ("blank", []), ("overlapping", []), ("bridged", []), ("piled", []), ("tableless", 0),
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


def press_tab(browser, failures):
    """The first stop of the keyboard is a link that shows where one is; further on is a button that does its work."""
    stop = ("(() => { const { tagName, className } = document.activeElement;"
            " return [tagName, className, getComputedStyle(document.activeElement).outlineStyle]; })()")
    browser.press("Tab", 9)
    expect(failures, "the first stop of the keyboard", browser.value(stop)[::2], ["A", "solid"])
    for _ in range(300):
        browser.press("Tab", 9)
        if browser.value(stop)[1] == "series":
            break
    expect(failures, "a stop of the keyboard", browser.value(stop), ["BUTTON", "series", "solid"])
    pressed = "document.activeElement.getAttribute('aria-pressed')"
    before = browser.value(pressed)
    browser.press(" ", 32)
    expect(failures, f"a button at which the keyboard stopped, {before} before", browser.value(pressed),
           "false" if before == "true" else "true")


def recoloured(browser, failures, url):
    """Where night falls while one reads, the charts turn dark with the page."""
    browser.show(url, *SCREENS[0])
    for scheme, soft in (("light", "#555e68"), ("dark", "#a3abb4"), ("light", "#555e68")):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.settle()
        expect(failures, f"axes, {scheme}", browser.value(AXES), [soft])


def printed(browser, failures):
    """Paper is light, on a dark screen too, the charts as well; afterwards all is dark again."""
    browser.call("Emulation.setDeviceMetricsOverride", width=720, height=1000, deviceScaleFactor=1, mobile=False)
    for media, ink, soft in (("print", "#1b1f24", "#555e68"), ("screen", "#e6e8ea", "#a3abb4")):
        browser.call("Emulation.setEmulatedMedia", media=media,
                     features=[{"name": "prefers-color-scheme", "value": "dark"}])
        browser.settle()
        expect(failures, media, browser.value(PRINTED), {"wide": False, "ink": ink, "axes": [soft]})


def check(browser, url, page, failures, pictures):
    grounds, measured = set(), "bench" in PAGES[page]
    for width, height, dark in SCREENS:
        where = f"{page}{width} px, {'dark' if dark else 'light'}"
        browser.show(url, width, height, dark)
        if pictures:
            browser.picture(os.path.join(pictures, where.replace(", ", "-").replace(" ", "-") + ".png"))
        grounds.add(look(browser, failures, where, measured))
        if measured:
            toggle(browser, failures, where, "figure button.series[aria-pressed=true]", -1)
            toggle(browser, failures, where, "figure button.variant", 1)
        failures += [f"{where}: {complaint}" for complaint in browser.complaints(url)]
    expect(failures, f"{page}grounds, light and dark", len(grounds), 2)


def check_whole(browser, url, failures):
    recoloured(browser, failures, url)
    browser.show(url, *SCREENS[1])
    press_tab(browser, failures)
    printed(browser, failures)


def main():
    report, samples = sys.argv[1:3]
    pictures = sys.argv[3] if len(sys.argv) > 3 else None
    program = chromium.find()
    if program is None:
        print("chromium is not installed")
        return 77
    failures = []
    with tempfile.TemporaryDirectory(prefix="ipcmark-report.") as scratch:
        with chromium.Browser(program) as browser:
            for page, names in PAGES.items():
                file = os.path.join(scratch, "-".join(names) + ".html")
                subprocess.run([report, *(os.path.join(samples, name + ".jsonl") for name in names), "-o", file], check=True)
                check(browser, "file://" + file, page, failures, pictures)
                if not page:
                    check_whole(browser, "file://" + file, failures)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
