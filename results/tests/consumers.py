"""What each consumer of an export asks of it; see consumers/README.md for where that is said. Each check returns what it
read, by name, and raises Refused where the consumer would."""

import json
import math
import re


class Refused(Exception):
    pass


def demand(condition, text):
    if not condition:
        raise Refused(text)


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def load(text):
    def once(pairs):
        demand(len({key for key, _ in pairs}) == len(pairs), "a key is there twice")
        return dict(pairs)

    def constant(word):
        raise Refused(f"{word} is no JSON")
    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except ValueError as error:
        raise Refused(str(error)) from error


def google(text):
    """Name to the list of its times, the aggregates under their own names."""
    page = load(text)
    context = page["context"]
    for field in ("date", "host_name", "executable", "library_build_type"):
        demand(isinstance(context.get(field), str), f"context.{field}")
    for field in ("num_cpus", "mhz_per_cpu"):
        demand(number(context.get(field)), f"context.{field}")
    demand(isinstance(context.get("cpu_scaling_enabled"), bool), "context.cpu_scaling_enabled")
    demand(all(number(load) for load in context["load_avg"]) and isinstance(context["caches"], list), "context lists")
    times = {}
    for entry in page["benchmarks"]:
        for field in ("name", "run_name", "run_type", "time_unit"):
            demand(isinstance(entry.get(field), str), field)
        for field in ("real_time", "cpu_time", "iterations", "repetitions", "threads"):
            demand(number(entry.get(field)), field)
        demand(entry["time_unit"] == "ns", "time_unit")
        if entry["run_type"] == "iteration":
            demand(entry["name"] == entry["run_name"] and entry["repetition_index"] == len(times.get(entry["name"], [])),
                   "repetitions are not in order")
        else:
            demand(entry["name"] == f"{entry['run_name']}_{entry['aggregate_name']}", "the aggregate's name")
        times.setdefault(entry["name"], []).append(entry["real_time"])
    return times


def github(text):
    """Name to (value, unit)."""
    entries = load(text)
    demand(isinstance(entries, list), "not a list")
    found = {}
    for entry in entries:
        demand(set(entry) <= {"name", "unit", "value", "range", "extra"}, "a field that is not taken over")
        demand(number(entry.get("value")), "value")
        for field in ("name", "unit", "range", "extra"):
            demand(isinstance(entry.get(field, ""), str), field)
        demand(entry.get("name") and "unit" in entry, "name or unit")
        demand(entry["name"] not in found, "a name twice")
        found[entry["name"]] = (entry["value"], entry["unit"])
    return found


def bencher(text):
    """Benchmark to measure to (lower, value, upper); a bound that is not there is None."""
    page = load(text)
    demand(isinstance(page, dict), "not an object")
    found = {}
    for name, measures in page.items():
        demand(0 < len(name) <= 1024 and not name.endswith("-bencher-ignore"), "the name of a benchmark")
        demand(isinstance(measures, dict) and measures, "measures")
        for measure, metric in measures.items():
            demand(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", measure) and len(measure) <= 64, "a measure's slug")
            demand("value" in metric and all(number(value) for value in metric.values()), "value")
            demand(set(metric) <= {"value", "lower_value", "upper_value"}, "a field of a metric")
            bounds = metric.get("lower_value"), metric["value"], metric.get("upper_value")
            known = [bound for bound in bounds if bound is not None]
            demand(known == sorted(known), "a bound on the wrong side")
            found.setdefault(name, {})[measure] = bounds
    return found


def hgrm(text):
    """(value, percentile, count) a line, as the plotter and the log processor read them, and the comments."""
    lines = text.split("\n")
    demand(lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"], "the heading")
    demand(lines[1] == "" and lines[-1] == "", "an empty line behind the heading, and a newline at the end")
    points, comments = [], []
    for line in lines[2:-1]:
        if line.startswith("#"):
            comments.append(line)
            continue
        fields = line.split()
        value, percentile, count = float(fields[0]), float(fields[1]), int(fields[2])
        if percentile < 1:
            inverse = 1 / (1 - percentile)  # of twelve digits
            demand(len(fields) == 4 and abs(float(fields[3]) - inverse) <= 0.0051 + 1e-12 * inverse ** 2, "1/(1-Percentile)")
        else:  # HdrHistogram's own library ends here; its port to C divides by zero, and prints that
            demand(fields[3:] in ([], ["inf"]), "the line of 100 %")
        points.append((value, percentile, count))
    demand(points == sorted(points) and points[-1][1] == 1, "rising values up to 100 %")
    heads = [re.match(r"#\[(Mean|Max|Buckets) +=", comment) for comment in comments[:3]]
    demand([head and head[1] for head in heads] == ["Mean", "Max", "Buckets"], "the three lines of the footer")
    return points, comments


CHECKS = {"google-benchmark.json": google, "github-action-benchmark.json": github, "bencher.json": bencher,
          "hdrhistogram.hgrm": hgrm}

# What others write and it takes as well.
TAKEN = {"hdrhistogram.hgrm": (("4.000 1.000000000000          4\n", "4.000 1.000000000000          4            inf\n"),)}

# What each consumer stumbles over: in a sample, this for that.
SPOILT = {
    "google-benchmark.json": (('"real_time": 41.5', '"time": 41.5'), ('"time_unit": "ns"', '"time_unit": "us"'),
                              ('"repetition_index": 1', '"repetition_index": 7'), ("41.25", "NaN"),
                              ("sort/1024_median", "sort/1024"), ('"num_cpus": 8,', "")),
    "github-action-benchmark.json": (("120.5", '"120.5"'), ('"unit": "ms", ', ""), ("page load", "memory"),
                                     ('"range"', '"interval"'), ("51}", "51},")),
    "bencher.json": (('"value": 42,', '"median": 42,'), ("41.5", "42.1"), ("build-time", "build_time"),
                     ("throughput", "latency"), ("17.5", "null")),
    "hdrhistogram.hgrm": (("1.43", "2.43"), ("3.000 0.55", "1.500 0.55"), ("       4.000 1.000000000000          4\n", ""),
                          ("4.000 1.000000000000          4\n", "4.000 1.000000000000          4 1e9\n"),
                          ("#[Max", "#[Most"), ("Percentile Total", "Total")),
}
