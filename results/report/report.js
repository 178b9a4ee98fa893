// Draws each figure's chart from its table, so that the two cannot differ.
//
//   <figure data-kind="line|ratio" data-x-kind data-x-label data-y-kind data-y-label>
//     <tr data-series="NAME" data-style="N" data-points="x,y x,y …">    a curve, or
//       <td data-x="…" data-y="…">                                      points in the cells
//     <tr data-series data-style data-category data-low data-mid data-high>   one bar of a ratio
(() => {
  "use strict";

  // By the driver's number, as in the style sheet; marks and dashes differ, so that colour is not needed to tell them apart.
  const marks = ["circle", "rect", "triangle", "rectRot", "rectRounded", "cross", "star", "crossRot"];
  const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [12, 4], [1, 2], [6, 2, 1, 2, 1, 2]];

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (style) => css(style < 0 ? "--limit" : `--k${style % 8}`);
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
    count: (x) => String(digits(x)),
    ratio: (x) => `${digits(x)}\u202f×`,
    duration: (x) => scaled(x, 1000, ["ns", "µs", "ms", "s"]),
    bandwidth: (x) => scaled(x, 1000, ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"]),
    rate: (x) => `${scaled(x, 1000, ["", "k", "M", "G"])}/s`,
  };

  const isPowerOf = (value, base) => {
    const power = Math.log(value) / Math.log(base);
    return Math.abs(power - Math.round(power)) < 1e-6;
  };

  // Which of the axis's ticks are labelled: decades where there are several, otherwise 1, 2 and 5 as well.
  const labelled = (kind, value, axis) => {
    if (kind === "percentile") return value === 2 || (value > 2 && isPowerOf(value, 10));
    if (kind === "size" || kind === "count") return true;
    const decades = Math.log10(axis.max / axis.min);
    const lead = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
    if (Math.abs(lead - Math.round(lead)) > 1e-6) return false; // an end of the axis that is no round number
    return Math.round(lead) === 1 || (decades < 3.2 && [2, 5].includes(Math.round(lead))) || decades < 0.7;
  };

  // The places along a categorical-like axis (sizes, counts), taken from the data; percentiles have fixed ones.
  const ticksOf = (kind, datasets) => {
    if (kind === "percentile") return [2, 10, 100, 1e3, 1e4, 1e5, 1e6];
    if (kind !== "size" && kind !== "count") return null;
    const all = [...new Set(datasets.flatMap((set) => set.data.map((point) => point.x)))].sort((a, b) => a - b);
    const step = Math.ceil(all.length / 9);
    return all.filter((_, index) => index % step === 0);
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
        autoSkip: !places,
        callback(value) {
          return places || labelled(kind, value, this) ? formats[kind](value) : null;
        },
      },
      afterBuildTicks(scale) {
        if (places)
          scale.ticks = places.filter((place) => place >= scale.min && place <= scale.max).map((value) => ({ value }));
        else scale.ticks = scale.ticks.filter((tick) => labelled(kind, tick.value, scale));
      },
    };
  };

  const pointsOf = (row) => {
    const curve = row.dataset.points;
    if (curve) return curve.split(" ").map((pair) => pair.split(",").map(Number)).map(([x, y]) => ({ x, y }));
    return [...row.querySelectorAll("td[data-x]")].map((cell) => ({ x: Number(cell.dataset.x), y: Number(cell.dataset.y) }));
  };

  const lineOf = (row, limits) => {
    const style = Number(row.dataset.style);
    const dense = Boolean(row.dataset.points);
    const limit = style < 0;
    return {
      label: row.dataset.series,
      data: pointsOf(row),
      borderColor: colour(style),
      backgroundColor: colour(style),
      borderWidth: limit ? 1.5 : 2.25,
      borderDash: limit ? (limits++ ? [2, 4] : [6, 5]) : dashes[style % 8],
      pointStyle: limit ? "line" : marks[style % 8],
      pointRadius(context) {
        // A line of one point would not be seen.
        if (limit) return context.dataset.data.length === 1 ? 14 : 0;
        if (!dense) return 4.5;
        // On a curve a mark now and then is enough; the last one shows where it ends.
        const last = context.dataset.data.length - 1;
        return context.dataIndex === last || context.dataIndex % 12 === 6 ? 4 : 0;
      },
      pointHoverRadius: 6,
      tension: 0,
    };
  };

  // A limit that spans the whole axis must not stretch it: its line is cut to where the other curves are.
  const clip = (datasets) => {
    const seen = datasets.filter((set) => set.pointStyle !== "line").flatMap((set) => set.data.map((point) => point.x));
    const highest = Math.max(...seen);
    for (const set of datasets)
      if (set.pointStyle === "line") set.data = set.data.map(({ x, y }) => ({ x: Math.min(x, highest), y }));
  };

  const common = (figure) => ({
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    plugins: {
      legend: {
        position: "top",
        align: "start",
        labels: { color: css("--ink"), usePointStyle: true, boxHeight: 7, padding: 14 },
      },
      tooltip: { usePointStyle: true, boxPadding: 4 },
    },
    font: { family: getComputedStyle(document.body).fontFamily },
  });

  const line = (figure, rows) => {
    const { xKind, xLabel, yKind, yLabel } = figure.dataset;
    const datasets = rows.map((row, index) => lineOf(row, index % 2)).filter((set) => set.data.length > 0);
    const options = common(figure);
    clip(datasets);
    options.interaction = { mode: "nearest", axis: "xy", intersect: false };
    options.scales = { x: axis(xKind, xLabel, datasets), y: axis(yKind, yLabel, []) };
    if (xKind === "percentile") options.scales.x.min = 1;
    else {
      const places = datasets.flatMap((set) => set.data.map((point) => point.x));
      options.scales.x.min = Math.min(...places) / 1.25;
      options.scales.x.max = Math.max(...places) * 1.25;
    }
    options.plugins.tooltip.callbacks = {
      title: (items) => (items.length ? formats[xKind](items[0].parsed.x) : ""),
      label: (item) => `${item.dataset.label}: ${formats[yKind](item.parsed.y)}`,
    };
    return { type: "line", data: { datasets }, options };
  };

  // A bar from low to high and a mark at the median, for each driver in each category.
  const ratio = (figure, rows) => {
    const categories = [...new Set(rows.map((row) => row.dataset.category))];
    const order = (row) => Number(row.dataset.style);
    const drivers = [...new Set([...rows].sort((a, b) => order(a) - order(b)).map((row) => row.dataset.series))];
    const value = (row, name) => Number(row.dataset[name]);
    const datasets = drivers.map((driver) => {
      const own = rows.filter((row) => row.dataset.series === driver);
      const style = Number(own[0].dataset.style);
      const found = categories.map((category) => own.find((row) => row.dataset.category === category));
      return {
        label: driver,
        data: found.map((row) => (row ? [Math.min(value(row, "low"), value(row, "mid") / 1.01), Math.max(value(row, "high"), value(row, "mid") * 1.01)] : null)),
        middles: found.map((row) => (row ? value(row, "mid") : null)),
        backgroundColor: `${colour(style)}66`,
        borderColor: colour(style),
        borderWidth: 1,
        borderSkipped: false,
        barThickness: Math.max(3, Math.min(9, 16 / drivers.length)),
        pointStyle: marks[style % 8],
      };
    });
    const options = common(figure);
    options.indexAxis = "y";
    options.scales = { x: axis("ratio", figure.dataset.xLabel, []), y: { ticks: { color: css("--ink"), autoSkip: false }, grid: { color: css("--line"), borderColor: css("--line") } } };
    const ends = rows.flatMap((row) => [value(row, "low"), value(row, "high")]);
    options.scales.x.min = Math.min(0.9, ...ends) / 1.1;
    options.scales.x.max = Math.max(1.1, ...ends) * 1.1;
    options.plugins.tooltip.callbacks = {
      label: (item) => `${item.dataset.label}: ${formats.ratio(item.dataset.middles[item.dataIndex])} (${item.raw.map(formats.ratio).join(" to ")})`,
    };
    figure.querySelector(".plot").style.height = `${6 + categories.length * Math.max(1.55, drivers.length * 0.8)}rem`;
    return { type: "bar", data: { labels: categories, datasets }, options, plugins: [middle, unity] };
  };

  // Draws the median's mark upon its bar.
  const middle = {
    id: "middle",
    afterDatasetsDraw(chart) {
      chart.data.datasets.forEach((set, index) => {
        if (!chart.isDatasetVisible(index)) return;
        chart.getDatasetMeta(index).data.forEach((bar, place) => {
          if (set.middles[place] === null) return;
          const x = chart.scales.x.getPixelForValue(set.middles[place]);
          chart.ctx.fillStyle = chart.ctx.strokeStyle = set.borderColor;
          chart.ctx.lineWidth = 1.5;
          Chart.helpers.drawPoint(chart.ctx, { pointStyle: set.pointStyle, radius: 5, borderWidth: 1 }, x, bar.y);
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

  const kinds = { line, ratio };

  const draw = (figure) => {
    const rows = [...figure.querySelectorAll("tr[data-series]")];
    const usable = rows.filter((row) => row.dataset.mid || pointsOf(row).length > 0);
    const plot = figure.querySelector(".plot");
    if (usable.length === 0) return null;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Chart: ${figure.querySelector("h3").textContent}. Its figures are in the table below.`);
    plot.replaceChildren(canvas);
    const chart = new Chart(canvas, kinds[figure.dataset.kind](figure, usable));
    figure.querySelector("details.data").open = false;
    figure.dataset.drawn = "true";
    return chart;
  };

  const figures = [...document.querySelectorAll("figure[data-kind]")];
  let charts = [];
  const drawAll = () => {
    const open = figures.map((figure) => figure.dataset.drawn && figure.querySelector("details.data").open);
    charts.forEach((chart) => chart && chart.destroy());
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    charts = figures.map(draw);
    figures.forEach((figure, index) => {
      if (open[index]) figure.querySelector("details.data").open = true;
    });
  };
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  // A link to a clause opens its evidence; on paper everything is open.
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && target.querySelector("details");
    if (details) details.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));
})();
