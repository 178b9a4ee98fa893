/* ipcmark-bench-rows: measures rows, one cell of each, with Google Benchmark as the runner and the reporter. C++ only
 * because Google Benchmark is. `ipcmark bench` calls it once a block. */
#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench.h"

extern "C" {
#include "../limits/cpus.h"
}

namespace
{

const char help[] =
    "usage: ipcmark-bench-rows [options] ROW…\n"
    "\n"
    "Measures each row once, in the order given, and prints it as Google Benchmark does. `ipcmark bench` calls this\n"
    "once a block, and adds what makes figures trustworthy: blocks, order, limits, ratios. By itself:\n"
    "\n"
    "  ipcmark-bench-rows limit/line hot/mmipc/64B/1x1 throughput/fifo/1KiB/1x1\n"
    "  ipcmark-bench-rows --cells cells.jsonl --benchmark_format=json latency/tcp/64B/1x1/r10000\n"
    "\n"
    "  --driver DRIVER   what a row's driver is short for, when that is not its name: ./my.so is called 'my' in rows,\n"
    "                    base=./my.so 'base'\n"
    "  --pin A,B         the CPUs of publisher and subscriber in 1x1 rows (default: the first two allowed); none: the\n"
    "                    kernel places them, and cells have no placement\n"
    "  --seconds S       how long a cell lasts (default 0.35: three of latency are 10,500 samples)\n"
    "  --samples N       of latency, at least so many a cell, however long that takes (default 0)\n"
    "  --seed N          of message bodies (default 1)\n"
    "  --block N         written into the cells (default 0)\n"
    "  --cells FILE      append a record for each cell, as results/FORMAT.md says\n"
    "  --quiet           print nothing but errors\n"
    "  --help, --version\n"
    "\n"
    "Google Benchmark's flags (--benchmark_format, --benchmark_out, …) are understood; iterations and repetitions are\n"
    "fixed at one. Exit codes: 0 all rows are figures, 1 some are errors, 3 the harness failed, 64 usage, 128 + N "
    "ended by signal N.\n";

struct Options {
    std::vector<const char *> drivers;
    std::vector<const char *> rows;
    const char *cells = nullptr;
    double seconds = 0.35;
    bool quiet = false;
    bool writes_json = false; /* --benchmark_out, in JSON */
    struct bench bench = {};
};

/* What Google Benchmark's own reporters print, under the plain name of the row; and the cell records. */
class CellReporter : public benchmark::BenchmarkReporter
{
  public:
    CellReporter(std::unique_ptr<BenchmarkReporter> display, int cells) : display_(std::move(display)), cells_(cells)
    {
    }

    bool ReportContext(const Context &context) override
    {
        if (display_ == nullptr)
            return true;
        display_->SetOutputStream(&GetOutputStream());
        display_->SetErrorStream(&GetErrorStream());
        return display_->ReportContext(context);
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        std::vector<Run> plain(runs);
        for (Run &run : plain) {
            run.run_name.iterations.clear();
            run.run_name.repetitions.clear();
            run.run_name.time_type.clear();
            if (run.run_type == Run::RT_Iteration)
                Append(run.run_name.function_name);
        }
        if (display_ != nullptr)
            display_->ReportRuns(plain);
    }

    void Finalize() override
    {
        if (display_ != nullptr)
            display_->Finalize();
    }

    /* Called by the row: its cell waits here until Google Benchmark reports it. */
    void Keep(const std::string &row, struct cell *cell)
    {
        cJSON *record = cell_to_json(cell);
        char *line = cJSON_PrintUnformatted(record);
        failed_ = failed_ || cell->error[0] != '\0' || line == nullptr;
        if (line != nullptr)
            kept_[row] = std::string(line) + "\n";
        cJSON_free(line);
        cJSON_Delete(record);
    }

    bool failed() const
    {
        return failed_;
    }
    bool unwritten() const
    {
        return unwritten_;
    }

  private:
    void Append(const std::string &row)
    {
        auto found = kept_.find(row);
        if (found == kept_.end())
            return;
        const std::string &line = found->second;
        for (size_t done = 0; cells_ >= 0 && done < line.size();) {
            ssize_t written = write(cells_, line.data() + done, line.size() - done);
            if (written < 0 && errno == EINTR)
                continue;
            if (written < 0) {
                perror("ipcmark-bench-rows: a cell cannot be written");
                unwritten_ = true;
                break;
            }
            done += static_cast<size_t>(written);
        }
        kept_.erase(found);
    }

    std::unique_ptr<BenchmarkReporter> display_;
    int cells_;
    bool failed_ = false, unwritten_ = false;
    std::map<std::string, std::string> kept_;
};

void Measure(benchmark::State &state, struct bench *bench, const struct row *row, CellReporter *reporter)
{
    if (bench_interrupted(bench) != 0 || reporter->unwritten()) {
        state.SkipWithError(reporter->unwritten() ? "nobody takes the cells" : "interrupted");
        return;
    }
    struct cell cell;
    cell_init(&cell, row, bench->block);
    for (auto _ : state) {
        bench_measure(bench, &cell);
        state.SetIterationTime(cell.headline_ns / 1e9);
    }
    if (bench_interrupted(bench) != 0) {
        state.SkipWithError("interrupted");
    } else {
        if (cell.error[0] != '\0')
            state.SkipWithError(cell.error);
        else if (cell.not_applicable[0] != '\0')
            state.SkipWithError((std::string("not applicable: ") + cell.not_applicable).c_str());
        for (const cJSON *metric = cell.metrics->child; metric != nullptr; metric = metric->next)
            if (cJSON_IsNumber(metric)) /* null: it was not measured */
                state.counters[metric->string] = metric->valuedouble;
        reporter->Keep(row->name, &cell);
    }
    cell_release(&cell);
}

int Usage(const char *format, const char *what)
{
    std::fprintf(stderr, "ipcmark-bench-rows: ");
    std::fprintf(stderr, format, what);
    std::fprintf(stderr, "; --help shows what can be given\n");
    return 64;
}

bool ParsePin(const char *text, struct bench *bench)
{
    int used = 0;
    bench->floats = std::strcmp(text, "none") == 0;
    return bench->floats ||
           (std::sscanf(text, "%d,%d%n", &bench->cpu_a, &bench->cpu_b, &used) == 2 && text[used] == '\0' &&
            bench->cpu_a >= 0 && bench->cpu_b >= 0 && bench->cpu_a != bench->cpu_b);
}

/* After Google Benchmark has taken its own flags out. 0, or an exit code; -1: done, nothing to run. */
int ParseOptions(int argc, char **argv, Options *options)
{
    struct bench *bench = &options->bench;
    bool only_rows = false;

    bench->seed = 1;
    bench->cpu_a = bench->cpu_b = -1;
    for (int i = 1; i < argc; ++i) {
        std::string word = argv[i];
        if (only_rows || word[0] != '-') {
            options->rows.push_back(argv[i]);
            continue;
        }
        only_rows = word == "--";
        if (only_rows)
            continue;
        if (word == "--version") {
            std::puts("ipcmark-bench-rows " IPCMARK_VERSION);
            return -1;
        }
        if (word == "--quiet") {
            options->quiet = true;
            continue;
        }
        if (i + 1 == argc)
            return Usage("'%s' is not an option, or lacks its value", argv[i]);
        const char *value = argv[++i];
        if (word == "--driver")
            options->drivers.push_back(value);
        else if (word == "--cells")
            options->cells = value;
        else if (word == "--samples")
            bench->samples = std::strtoull(value, nullptr, 10);
        else if (word == "--seed")
            bench->seed = std::strtoull(value, nullptr, 10);
        else if (word == "--block")
            bench->block = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
        else if (word == "--seconds" && (options->seconds = std::strtod(value, nullptr)) > 0)
            continue;
        else if (word != "--pin" || !ParsePin(value, bench))
            return Usage("'%s' is not an option, or not with such a value", argv[i - 1]);
    }
    options->drivers.push_back(nullptr);
    bench->drivers = options->drivers.data();
    bench->seconds = options->seconds;
    if (bench->cpu_a < 0)
        cpus_choose(&bench->cpu_a, &bench->cpu_b);
    return options->rows.empty() ? Usage("%s", "no row is given") : 0;
}

int ParseRows(const std::vector<const char *> &names, std::vector<struct row> *rows)
{
    for (const char *name : names) {
        char text[512];
        struct row row;
        if (row_parse(&row, name, text, sizeof text) < 0)
            return Usage("%s", text);
        rows->push_back(row);
    }
    return 0;
}

std::unique_ptr<benchmark::BenchmarkReporter> MakeDisplay(bool quiet)
{
    return std::unique_ptr<benchmark::BenchmarkReporter>(quiet ? nullptr : benchmark::CreateDefaultDisplayReporter());
}

std::unique_ptr<benchmark::BenchmarkReporter> MakeFileReporter(bool json)
{
    if (!json)
        return nullptr;
    return std::make_unique<CellReporter>(std::make_unique<benchmark::JSONReporter>(), -1);
}

/* A descriptor that we were given must not get into the participants, too: its reader would wait for their end. */
void KeepToOurselves(const char *path)
{
    int fd;
    if (std::sscanf(path, "/dev/fd/%d", &fd) == 1)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int Run(Options *options, const std::vector<struct row> &rows)
{
    struct bench *bench = &options->bench;
    int cells = -1;

    if (options->cells != nullptr &&
        (cells = open(options->cells, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) < 0) {
        std::fprintf(stderr, "ipcmark-bench-rows: %s: %s\n", options->cells, std::strerror(errno));
        return 3;
    }
    if (options->cells != nullptr)
        KeepToOurselves(options->cells);
    const int error = bench_open(bench);
    if (error < 0) {
        std::fprintf(stderr, "ipcmark-bench-rows: cannot begin: %s\n", std::strerror(-error));
        return 3;
    }
    CellReporter reporter(MakeDisplay(options->quiet), cells);
    auto file_reporter = MakeFileReporter(options->writes_json);
    for (const struct row &row : rows)
        benchmark::RegisterBenchmark(row.name, [&](benchmark::State &state) { Measure(state, bench, &row, &reporter); })
            ->Iterations(1)
            ->Repetitions(1)
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
    if (file_reporter != nullptr)
        benchmark::RunSpecifiedBenchmarks(&reporter, file_reporter.get());
    else
        benchmark::RunSpecifiedBenchmarks(&reporter);
    benchmark::Shutdown();
    int signal = bench_interrupted(bench);
    bench_close(bench);
    if (cells >= 0)
        close(cells);
    return signal != 0 ? 128 + signal : reporter.unwritten() ? 3 : reporter.failed() ? 1 : 0;
}

bool WritesJson(int argc, char **argv)
{
    bool out = false, other_format = false;
    for (int i = 1; i < argc; ++i) {
        out = out || std::strncmp(argv[i], "--benchmark_out=", 16) == 0;
        other_format = other_format || (std::strncmp(argv[i], "--benchmark_out_format=", 23) == 0 &&
                                        std::strcmp(argv[i] + 23, "json") != 0);
    }
    return out && !other_format;
}

} // namespace

int main(int argc, char **argv)
{
    Options options;
    std::vector<struct row> rows;
    options.writes_json = WritesJson(argc, argv);
    benchmark::Initialize(&argc, argv, [] { std::fputs(help, stdout); });
    int result = ParseOptions(argc, argv, &options);
    if (result == 0)
        result = ParseRows(options.rows, &rows);
    if (result != 0)
        return result < 0 ? 0 : result;
    return Run(&options, rows);
}
