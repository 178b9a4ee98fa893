/* ipcmark-bench-micro: what libmmipc costs inside one process, the usual Google Benchmark way. What needs a second
 * process is a row of `ipcmark bench`. */
#include <benchmark/benchmark.h>

#include <mmipc/mmipc.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace
{

/* A private directory for as long as it lives; the library leaves nothing in it. */
class Directory
{
  public:
    Directory()
    {
        const char *parent = std::getenv("TMPDIR");
        path_ = std::string(parent != nullptr ? parent : "/tmp") + "/ipcmark-micro.XXXXXX";
        if (mkdtemp(path_.data()) == nullptr)
            path_.clear();
    }
    ~Directory()
    {
        if (!path_.empty())
            rmdir(path_.c_str());
    }
    Directory(const Directory &) = delete;
    Directory &operator=(const Directory &) = delete;
    const char *path() const
    {
        return path_.c_str();
    }

  private:
    std::string path_;
};

bool Failed(benchmark::State &state, int result)
{
    if (result >= 0)
        return false;
    state.SkipWithError(mmipc_strerror(result));
    return true;
}

/* The least that a publish can cost: nobody is connected. */
void PublishToNobody(benchmark::State &state)
{
    Directory directory;
    mmipc_publisher *publisher = nullptr;
    std::vector<char> message(static_cast<size_t>(state.range(0)));
    if (Failed(state, mmipc_publisher_open(&publisher, "micro", directory.path(), nullptr)))
        return;
    for (auto _ : state)
        if (Failed(state, mmipc_publish(publisher, message.data(), message.size())))
            break;
    state.SetItemsProcessed(state.iterations());
    mmipc_publisher_close(publisher);
}

void OpenClosePublisher(benchmark::State &state)
{
    Directory directory;
    for (auto _ : state) {
        mmipc_publisher *publisher = nullptr;
        if (Failed(state, mmipc_publisher_open(&publisher, "micro", directory.path(), nullptr)))
            break;
        mmipc_publisher_close(publisher);
    }
}

void OpenCloseSubscriber(benchmark::State &state)
{
    Directory directory;
    for (auto _ : state) {
        mmipc_subscriber *subscriber = nullptr;
        if (Failed(state, mmipc_subscriber_open(&subscriber, "micro", directory.path(), nullptr, nullptr, nullptr)))
            break;
        mmipc_subscriber_close(subscriber);
    }
}

void ReceiveNothing(benchmark::State &state)
{
    Directory directory;
    mmipc_subscriber *subscriber = nullptr;
    mmipc_message *message = nullptr;
    if (Failed(state, mmipc_subscriber_open(&subscriber, "micro", directory.path(), nullptr, nullptr, nullptr)))
        return;
    for (auto _ : state)
        if (mmipc_subscriber_receive(subscriber, &message, 0) == 0)
            state.SkipWithError("a message came from nowhere");
    mmipc_subscriber_close(subscriber);
}

void OptionsInit(benchmark::State &state)
{
    mmipc_options options;
    for (auto _ : state) {
        mmipc_options_init(&options, sizeof options);
        benchmark::DoNotOptimize(options);
    }
}

BENCHMARK(PublishToNobody)->Name("micro/publish-to-nobody")->Arg(64)->Arg(1 << 20);
BENCHMARK(OpenClosePublisher)->Name("micro/open-close-publisher")->Unit(benchmark::kMicrosecond);
BENCHMARK(OpenCloseSubscriber)->Name("micro/open-close-subscriber")->Unit(benchmark::kMicrosecond);
BENCHMARK(ReceiveNothing)->Name("micro/receive-nothing");
BENCHMARK(OptionsInit)->Name("micro/options-init");

} // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("ipcmark-bench-micro " IPCMARK_VERSION);
        return 0;
    }
    benchmark::Initialize(&argc, argv, [] {
        std::puts(
            "usage: ipcmark bench-micro [Google Benchmark flags]\n\n"
            "Times libmmipc inside one process: publishing to nobody, opening and closing, looking for messages.\n\n"
            "  ipcmark bench-micro --benchmark_filter=publish --benchmark_repetitions=10\n\n"
            "Exit codes: 0 measured, 64 usage.");
    });
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 64;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
