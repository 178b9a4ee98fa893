// Draws each figure's chart from its table, so that the two cannot differ.
//
//   <figure data-kind="line|bars" data-x-kind data-x-label data-y-kind data-y-label>
//     <tr data-series="NAME" data-style="N" data-points="x,y x,y …">    a curve, or
//       <td data-x="…" data-y="…">                                      points in the cells; without data-y: a gap
//     <tr data-series data-style data-category data-low data-mid data-high>   one bar
//     data-variant="WORDS" data-of="NAME" of a series that belongs to another: shown on demand, by a button of that name
//   A series' mark is the path in its row's head; a style below 0 is a limit's.
(() => {
  "use strict";

  const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [12, 4], [1, 2], [6, 2, 1, 2, 1, 2]];
  const limitDashes = [[6, 5], [2, 4], [10, 3, 2, 3], [14, 3], [1, 6]]; // as marks.c has them

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const styleOf = (row) => Number(row.dataset.style);
  const colour = (style) => css(style < 0 ? "--limit" : `--k${style % 16}`);
  const dashOf = (style) => (style < 0 ? limitDashes[(-style - 1) % limitDashes.length] : dashes[(style + (style >> 3)) % 8]);
  const markOf = (row) => new Path2D(row.querySelector("svg.key path").getAttribute("d"));
  const digits = (value) => Number(value.toPrecision(3));

  const scaled = (value, step, units) => {
    let unit = 0;
    while (unit + 1 < units.length && Math.abs(value) >= step * 0.9995) {
      value /= step;
      unit += 1;
    }
    return `${digits(value)}\u202f${units[unit]}`.trimEnd();
  };
  const formats = {
    percentile: (x) => `${Number((100 * (1 - 1 / x)).toPrecision(7))}\u202f%`,
    size: (x) => scaled(x, 1024, ["B", "KiB", "MiB", "GiB"]),
    count: (x) => scaled(x, 1000, ["", "k", "M", "G"]),
    ratio: (x) => `${digits(x)}\u202f×`,
    share: (x) => `${digits(100 * x)}\u202f%`,
    duration: (x) => scaled(x, 1000, ["ns", "µs", "ms", "s"]),
    seconds: (x) => formats.duration(x * 1e9),
    bandwidth: (x) => scaled(x, 1000, ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"]),
    rate: (x) => `${scaled(x, 1000, ["", "k", "M", "G"])}/s`,
  };

  const isPowerOf = (value, base) => {
    const power = Math.log(value) / Math.log(base);
    return Math.abs(power - Math.round(power)) < 1e-6;
  };

  // Which of the axis's ticks are labelled: decades where there are several, otherwise 1, 2 and 5 as well.
  const labelled = (value, axis) => {
    const decades = Math.log10(axis.max / axis.min);
    const lead = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
    if (Math.abs(lead - Math.round(lead)) > 1e-6) return false; // an end of the axis that is no round number
    return Math.round(lead) === 1 || (decades < 3.2 && [2, 5].includes(Math.round(lead))) || decades < 0.7;
  };

  // Quarters between them where there are few.
  const powersOfTwo = (low, high) => {
    const steps = high / low < 6 ? [1, 1.25, 1.5, 1.75] : [1];
    const found = [];
    for (let power = 2 ** Math.floor(Math.log2(low)); power <= high; power *= 2)
      found.push(...steps.map((step) => step * power).filter((value) => value >= low && value <= high));
    return found;
  };

  // The places along a categorical-like axis (sizes, counts), taken from the data; percentiles have fixed ones.
  const ticksOf = (kind, datasets) => {
    if (kind === "percentile") return [2, 10, 100, 1e3, 1e4, 1e5, 1e6];
    if (datasets.length === 0 || (kind !== "size" && kind !== "count")) return null;
    return [...new Set(datasets.flatMap((set) => set.data.map((point) => point.x)))].sort((a, b) => a - b);
  };

  const axis = (kind, label, datasets) => {
    const places = ticksOf(kind, datasets);
    const grid = css("--line");
    const soft = css("--soft");
    return {
      type: "logarithmic",
      title: { display: Boolean(label), text: label, color: soft },
      grid: { color: grid, borderColor: grid, tickLength: 4 },
      ticks: {
        color: soft,
        maxRotation: 0,
        autoSkip: true,
        autoSkipPadding: 10,
        callback(value) {
          return places || kind === "size" || labelled(value, this) ? formats[kind](value) : null;
        },
      },
      afterBuildTicks(scale) {
        if (places)
          scale.ticks = places.filter((place) => place >= scale.min && place <= scale.max).map((value) => ({ value }));
        else if (kind === "size") scale.ticks = powersOfTwo(scale.min, scale.max).map((value) => ({ value }));
        else scale.ticks = scale.ticks.filter((tick) => labelled(tick.value, scale));
      },
    };
  };

  const pointsOf = (row) => {
    const curve = row.dataset.points;
    if (curve) return curve.split(" ").map((pair) => pair.split(",").map(Number)).map(([x, y]) => ({ x, y }));
    return [...row.querySelectorAll("td[data-x]")].map(({ dataset }) => ({ x: Number(dataset.x), y: Number(dataset.y ?? NaN) }));
  };

  const measured = (points) => points.filter((point) => !Number.isNaN(point.y));

  const lineOf = (row) => {
    const style = styleOf(row);
    return {
      label: row.dataset.series,
      data: pointsOf(row),
      style,
      of: row.dataset.of || row.dataset.series,
      variant: row.dataset.variant,
      hidden: Boolean(row.dataset.variant),
      dense: Boolean(row.dataset.points),
      mark: style < 0 ? null : markOf(row),
      borderColor: colour(style) + (row.dataset.variant ? "99" : ""),
      backgroundColor: colour(style),
      borderWidth: style < 0 || row.dataset.variant ? 1.5 : 2.25,
      borderDash: row.dataset.variant ? [3, 3] : dashOf(style),
      spanGaps: false, // what was not measured is not drawn
      pointRadius: 0,
      pointHitRadius: 8,
      pointHoverRadius: 6,
      tension: 0,
    };
  };

  // A limit's level has no end, and must not stretch the axis: it goes to where the curves end.
  const clip = (datasets) => {
    const highest = Math.max(...datasets.flatMap((set) => set.data.map((point) => point.x)).filter((x) => x < 1e9));
    for (const set of datasets)
      set.data = set.data.map(({ x, y }) => ({ x: x < 1e9 ? x : highest, y }));
  };

  const common = () => ({
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    plugins: { legend: { display: false }, tooltip: { boxPadding: 4 } },
  });

  const fill = (context, path, x, y, colour, scale) => {
    context.save();
    context.translate(x, y);
    context.scale(scale, scale);
    context.fillStyle = colour;
    context.fill(path, "evenodd");
    context.restore();
  };

  // Marks on lines, those of the tables. On a curve a mark now and then is enough; the last one shows where it ends. A
  // limit has none, but a single point of it would not be seen without.
  const lineMarks = {
    id: "lineMarks",
    afterDatasetsDraw(chart) {
      chart.data.datasets.forEach((set, index) => {
        if (!chart.isDatasetVisible(index) || set.variant) return;
        const points = chart.getDatasetMeta(index).data;
        const gap = (place) => !set.data[place] || Number.isNaN(set.data[place].y);
        points.forEach((point, place) => {
          if (gap(place)) return;
          if (set.style < 0) {
            if (!gap(place - 1) || !gap(place + 1)) return;
            chart.ctx.fillStyle = set.borderColor;
            chart.ctx.fillRect(point.x - 12, point.y - 1, 24, 2);
          } else if (!set.dense || place === points.length - 1 || place % 12 === 6) {
            fill(chart.ctx, set.mark, point.x, point.y, set.backgroundColor, 0.72);
          }
        });
      });
    },
  };

  const line = (figure, rows) => {
    const { xKind, xLabel, yKind, yLabel } = figure.dataset;
    const datasets = rows.map(lineOf);
    const options = common();
    clip(datasets);
    options.interaction = { mode: "nearest", axis: "xy", intersect: false };
    options.scales = { x: axis(xKind, xLabel, datasets), y: axis(yKind, yLabel, []) };
    if (xKind === "percentile") options.scales.x.min = 1;
    else {
      const places = datasets.flatMap((set) => set.data.map((point) => point.x));
      options.scales.x.min = Math.min(...places) / 1.25;
      options.scales.x.max = Math.max(...places) * 1.25;
    }
    // Nothing lies on the frame, where half of it would be cut off.
    const values = datasets.flatMap((set) => set.data.map((point) => point.y)).filter((y) => y > 0);
    options.scales.y.min = Math.min(...values) / 1.3;
    options.scales.y.max = Math.max(...values) * 1.3;
    options.plugins.tooltip.callbacks = {
      title: (items) => (items.length ? formats[xKind](items[0].parsed.x) : ""),
      label: (item) => `${item.dataset.label}: ${formats[yKind](item.parsed.y)}`,
    };
    return { type: "line", data: { datasets }, options, plugins: [lineMarks] };
  };

  // A bar from low to high and a mark at the middle, for each series in each category.
  const bars = (figure, rows, width) => {
    const kind = figure.dataset.xKind;
    const categories = [...new Set(rows.map((row) => row.dataset.category))];
    const names = [...new Set([...rows].sort((a, b) => styleOf(a) - styleOf(b)).map((row) => row.dataset.series))];
    const narrow = width < 520; // no room for the categories' names beside the bars: they go above
    const thick = Math.max(7, Math.min(11, 36 / names.length));
    const step = names.length * thick + (narrow ? 42 : 12);
    const value = (row, name) => Number(row.dataset[name]);
    const datasets = names.map((name) => {
      const own = rows.filter((row) => row.dataset.series === name);
      const found = categories.map((category) => own.find((row) => row.dataset.category === category));
      return {
        label: name,
        data: found.map((row) => (row ? [Math.min(value(row, "low"), value(row, "mid") / 1.01), Math.max(value(row, "high"), value(row, "mid") * 1.01)] : null)),
        middles: found.map((row) => (row ? value(row, "mid") : null)),
        style: styleOf(own[0]),
        mark: styleOf(own[0]) < 0 ? null : markOf(own[0]),
        backgroundColor: `${colour(styleOf(own[0]))}66`,
        borderColor: colour(styleOf(own[0])),
        borderWidth: 1,
        borderSkipped: false,
        barThickness: thick,
        barPercentage: 0.6,
      };
    });
    const options = common();
    const ends = rows.flatMap((row) => [value(row, "low"), value(row, "high")]);
    options.indexAxis = "y";
    options.scales = {
      x: axis(kind, figure.dataset.xLabel, []),
      y: {
        ticks: { color: css("--ink"), autoSkip: false, mirror: narrow, z: 1, labelOffset: narrow ? 12 - step / 2 : 0 },
        grid: { color: css("--line"), borderColor: css("--line"), offset: true },
      },
    };
    options.scales.x.min = Math.min(...(kind === "ratio" ? [0.9] : []), ...ends) / 1.15;
    options.scales.x.max = Math.max(...(kind === "ratio" ? [1.1] : []), ...ends) * 1.15;
    // Who reads a tall chart from above does not see its lower end.
    if (categories.length > 8) options.scales.top = { ...axis(kind, "", []), axis: "x", position: "top", min: options.scales.x.min, max: options.scales.x.max };
    options.plugins.tooltip.callbacks = {
      label: (item) => `${item.dataset.label}: ${formats[kind](item.dataset.middles[item.dataIndex])} (${item.raw.map(formats[kind]).join(" to ")})`,
    };
    return { type: "bar", data: { labels: categories, datasets }, options, height: (categories.length > 8 ? 88 : 64) + categories.length * step, plugins: kind === "ratio" ? [barMarks, unity] : [barMarks] };
  };

  const barMarks = {
    id: "barMarks",
    afterDatasetsDraw(chart) {
      chart.data.datasets.forEach((set, index) => {
        if (!chart.isDatasetVisible(index)) return;
        chart.getDatasetMeta(index).data.forEach((bar, place) => {
          if (set.middles[place] === null) return;
          const x = chart.scales.x.getPixelForValue(set.middles[place]);
          if (set.mark) fill(chart.ctx, set.mark, x, bar.y, set.borderColor, 0.78);
        });
      });
    },
  };

  // The line at 1: neither better nor worse.
  const unity = {
    id: "unity",
    beforeDatasetsDraw({ ctx, chartArea, scales }) {
      const x = scales.x.getPixelForValue(1);
      ctx.save();
      ctx.strokeStyle = css("--limit");
      ctx.setLineDash([6, 5]);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.restore();
    },
  };

  const kinds = { line, bars };

  const button = (kind, pressed, press) => {
    const element = document.createElement("button");
    element.type = "button";
    element.className = kind;
    element.setAttribute("aria-pressed", pressed);
    element.addEventListener("click", () => {
      const now = element.getAttribute("aria-pressed") !== "true";
      element.setAttribute("aria-pressed", now);
      press(now);
    });
    return element;
  };

  // A button for each series, with its mark, and one for each kind of series that is shown on demand only.
  const keysOf = (chart, rows, off) => {
    const list = document.createElement("div");
    const sets = chart.data.datasets;
    const show = () => {
      sets.forEach((set, index) => chart.setDatasetVisibility(index, !off.has(set.of ?? set.label) && (!set.variant || off.has(`+${set.variant}`))));
      chart.update();
    };
    const toggle = (name, on) => {
      if (on) off.add(name);
      else off.delete(name);
      show();
    };
    list.className = "keys";
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "What is shown");
    sets.filter((set) => !set.variant).forEach((set) => {
      const key = button("series", !off.has(set.label), (on) => toggle(set.label, !on));
      const row = rows.find((candidate) => candidate.dataset.series === set.label);
      key.append(row.querySelector("svg.key").cloneNode(true), set.label);
      list.append(key);
    });
    [...new Set(sets.map((set) => set.variant).filter(Boolean))].forEach((variant) => {
      const key = button("variant", off.has(`+${variant}`), (on) => toggle(`+${variant}`, on));
      key.append(variant);
      list.append(key);
    });
    show();
    return list;
  };

  const draw = (figure, off) => {
    const rows = [...figure.querySelectorAll("tr[data-series]")];
    const usable = rows.filter((row) => row.dataset.mid || measured(pointsOf(row)).length > 0);
    const plot = figure.querySelector(".plot");
    if (!usable.some((row) => styleOf(row) >= 0)) return null;
    const box = document.createElement("div");
    const canvas = document.createElement("canvas");
    box.className = "canvas";
    box.append(canvas);
    plot.replaceChildren(box);
    const config = kinds[figure.dataset.kind](figure, usable, plot.clientWidth);
    if (config.height) box.style.height = `${config.height}px`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Chart: ${figure.querySelector("h3").textContent}. Its figures are in the table below.`);
    canvas.setAttribute("aria-describedby", figure.querySelector("table").id);
    const chart = new Chart(canvas, config);
    plot.prepend(keysOf(chart, rows, off));
    return chart;
  };

  const figures = [...document.querySelectorAll("figure[data-kind]")].map((figure) => ({ figure, off: new Set(), chart: null }));
  // What is folded away has no width yet, and is drawn once it is opened.
  const drawOne = (item) => {
    if (item.chart) item.chart.destroy();
    item.chart = item.figure.closest("details:not([open])") ? null : draw(item.figure, item.off);
    if (!item.chart || item.figure.dataset.drawn) return;
    item.figure.querySelector("details.data").open = false;
    item.figure.dataset.drawn = "true";
  };
  const drawAll = () => {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    figures.forEach(drawOne);
  };
  drawAll();
  document.querySelectorAll("details.more").forEach((more) =>
    more.addEventListener("toggle", () => figures.filter(({ figure, chart }) => !chart && more.contains(figure)).forEach(drawOne)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  matchMedia("(max-width: 40rem)").addEventListener("change", drawAll);

  // A link to a clause opens its evidence, and what that lies in.
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const own = target.querySelector("details");
    if (own) own.open = true;
    for (let around = target.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  // Paper has what was open on the screen: all of it would be a hundred pages. Charts are drawn anew, in the colours and
  // the width of paper.
  matchMedia("print").addEventListener("change", drawAll);
})();
