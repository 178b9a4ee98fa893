/* Writes result files as a real run would, from a fixed seed: for tests of what reads them.
 *
 *     results-sample conformance | bench | faster | hostile | lists     > FILE.jsonl
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCKS = 12, CELLS = 3 * 30 + 8 + 4 };

static uint64_t state = 0x1234567812345678;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void header(const char *kind, unsigned number, int planned)
{
    printf(
        "{\"record\":\"header\",\"format\":1,\"kind\":\"%s\",\"suite_version\":\"0.1.0\",\"contract_version\":\"1\","
        "\"run\":\"00c0ffee%08x\",\"seed\":4711,\"command\":\"ipcmark %s --driver mmipc --driver fifo --driver tcp "
        "--seed "
        "4711\",\"started\":\"2024-05-01T12:00:00Z\",\"manifest\":\"89abcdef\",\"planned\":%d,\"suite\":\"quick\","
        "\"blocks\":12,\"environment\":{"
        "\"cpu\":\"Example CPU 3000\",\"cpus\":8,\"kernel\":\"6.1.0\",\"os\":\"Debian GNU/Linux 12 (bookworm)\","
        "\"virtualization\":\"none\",\"governor\":\"performance\",\"smt\":false,\"memory_bytes\":17179869184,\"load\":"
        "0.2,"
        "\"compiler\":\"GCC 12.2.0\",\"flags\":\"-O2 -g\",\"commit\":\"0123abc\"},\"drivers\":["
        "{\"name\":\"mmipc\",\"version\":\"0.1.0\",\"summary\":\"shared "
        "memory\",\"homepage\":\"\",\"capabilities\":[]},"
        "{\"name\":\"fifo\",\"version\":\"1\",\"summary\":\"named pipes\",\"homepage\":\"\",\"capabilities\":[]},"
        "{\"name\":\"tcp\",\"version\":\"1\",\"summary\":\"loopback TCP\",\"homepage\":\"\",\"capabilities\":[]}]}\n",
        kind, (unsigned)kind[0] + number, kind, planned);
}

static void footer(int written)
{
    printf("{\"record\":\"footer\",\"finished\":\"2024-05-01T12:05:00Z\",\"exit\":0,\"written\":%d,\"interrupted\":"
           "false}\n",
           written);
}

static void one_case(const char *driver, const char *clause, const char *title, const char *verdict, const char *class,
                     const char *text)
{
    printf(
        "{\"record\":\"case\",\"driver\":\"%s\",\"clause\":\"%s\",\"level\":\"%s\",\"title\":\"%s\",\"verdict\":\"%s\","
        "\"class\":%s%s%s,\"text\":\"%s\",\"seconds\":%.3f,\"seed\":%d,\"must\":12000,\"received\":12000,"
        "\"evidence\":%s}\n",
        driver, clause, strcmp(clause, "ISO-005") == 0 ? "SHOULD" : "MUST", title, verdict, *class ? "\"" : "",
        *class ? class : "null", *class ? "\"" : "", text, 0.2 + uniform(), 4711,
        *class ? "\"evidence/KILL-002-fifo\"" : "null");
}

static int conformance(void)
{
    static const char *const drivers[] = {"mmipc", "fifo", "tcp"};
    static const char *const clauses[][2] = {
        {"DEL-001", "One publisher's messages reach one subscriber exactly once, in order and intact."},
        {"DEL-002", "One publisher's messages reach each of four subscribers exactly once, in order and intact."},
        {"DEL-006", "The boundaries between the parts of a message are kept, those of empty parts too."},
        {"DEL-010", "Threads that publish on one publisher each keep their own order."},
        {"ISO-005", "Two subscribers of one process both receive."},
        {"CON-001", "A publisher's count of subscribers is exact, up and down."},
        {"CON-004", "A participant that is restarted is connected again, and its peers need no restart."},
        {"LIFE-003", "Rounds of open and close leave no descriptor, thread, mapping or file."},
        {"KILL-001", "The death of subscribers costs bystanders nothing."},
        {"KILL-002", "The death of a publisher tears nothing and loses nothing that it was told is published."},
    };
    enum { CLAUSES = sizeof clauses / sizeof clauses[0] };
    header("conformance", 0, 3 * CLAUSES);
    for (int d = 0; d < 3; ++d)
        for (int c = 0; c < CLAUSES; ++c) {
            const char *verdict = "pass", *class = "", *text = "";
            if (d > 0 && strcmp(clauses[c][0], "DEL-010") == 0)
                verdict = "skip", text = "the driver does not claim threads";
            if (d == 1 && strcmp(clauses[c][0], "KILL-002") == 0)
                verdict = "fail", class = "lost",
                text = "message 4711 of publisher 3, epoch 2, thread 0 was OK'd before the publisher was killed, and "
                       "subscriber 12 never received it";
            if (d == 2 && strcmp(clauses[c][0], "KILL-001") == 0)
                verdict = "unknown", text = "only 31,214 messages had to arrive; 100,000 are needed to tell";
            one_case(drivers[d], clauses[c][0], clauses[c][1], verdict, class, text);
        }
    footer(3 * CLAUSES);
    return 0;
}

/* A long-tailed histogram around a median, as durations have it; each sample so many times. */
static void histogram(double median, double tail, int samples, int times)
{
    uint64_t counts[400] = {0};
    int first = 1;
    for (int i = 0; i < samples; ++i) {
        double spread = (uniform() + uniform() + uniform() - 1.5) * 0.25;
        double rare = uniform() < 0.01 ? -log(uniform() + 1e-12) * tail : 0;
        int bucket = (int)((spread + rare + 2) * 50);
        ++counts[bucket < 0 ? 0 : bucket > 399 ? 399 : bucket];
    }
    printf("{\"unit\":\"ns\",\"significant_digits\":3,\"counts\":[");
    for (int i = 0; i < 400; ++i)
        if (counts[i]) {
            printf("%s[%.0f,%" PRIu64 "]", first ? "" : ",", median * exp(i / 50.0 - 2) + i,
                   counts[i] * (uint64_t)times);
            first = 0;
        }
    printf("]}");
}

static void size_name(char *out, size_t size, int bytes)
{
    if (bytes >= 1 << 20)
        snprintf(out, size, "%dMiB", bytes >> 20);
    else if (bytes >= 1024)
        snprintf(out, size, "%dKiB", bytes >> 10);
    else
        snprintf(out, size, "%dB", bytes);
}

struct machine {
    const char *placement;
    double line;
};

/* What a row is of; 0: it has none. */
struct shape {
    const char *family, *driver;
    int size, publishers, subscribers, rate;
    const char *limit, *limit_of, *limit_kind; /* of a limit: its name, the families, "bound", "reference" or "share" */
};

static void row_name(char *out, size_t size, const struct shape *shape)
{
    char bytes[16] = "", tail[16] = "";
    if (shape->size > 0)
        size_name(bytes, sizeof bytes, shape->size);
    if (shape->rate > 0)
        snprintf(tail, sizeof tail, "/r%d", shape->rate);
    if (shape->limit)
        snprintf(out, size, "limit/%s%s%s%s", shape->limit, *bytes ? "/" : "", bytes, tail);
    else
        snprintf(out, size, "%s/%s/%s/%dx%d%s", shape->family, shape->driver, bytes, shape->publishers,
                 shape->subscribers, tail);
}

static void cell_begin(const struct shape *shape, int block, struct machine machine)
{
    char row[96];
    row_name(row, sizeof row, shape);
    printf("{\"record\":\"cell\",\"row\":\"%s\",\"family\":\"%s\",\"driver\":\"%s\",", row,
           shape->limit ? "limit" : shape->family, shape->limit ? "limit" : shape->driver);
    if (shape->size > 0)
        printf("\"size\":%d,", shape->size);
    if (shape->subscribers > 0)
        printf("\"publishers\":%d,\"subscribers\":%d,", shape->publishers, shape->subscribers);
    if (shape->rate > 0)
        printf("\"rate\":%d,", shape->rate);
    if (shape->limit && shape->limit_of)
        printf("\"limit_of\":[%s],\"limit_kind\":\"%s\",", shape->limit_of, shape->limit_kind);
    printf("\"block\":%d,\"placement\":\"%s\",\"line_before_ns\":%.1f,\"line_after_ns\":%.1f,\"steal_ns\":0,"
           "\"context_switches\":12,",
           block, machine.placement, machine.line * (0.98 + 0.04 * uniform()),
           machine.line * (0.98 + 0.04 * uniform()));
}

static void no_histogram(void)
{
    printf("\"histogram\":null,\"histogram_uncorrected\":null,\"error\":null}\n");
}

static int times_cell(const struct shape *shape, double nanoseconds, int block, struct machine machine)
{
    double median = nanoseconds * (0.95 + 0.1 * uniform());
    /* Wake-ups up to 99.99 %, and a limit's curve beyond that. */
    int times = shape->limit ? 100 : strcmp(shape->family, "wakeup") == 0 ? 10 : 1;
    cell_begin(shape, block, machine);
    printf("\"metrics\":{\"p50_ns\":%.0f,\"samples\":%d%s},\"histogram\":", median, 20000 * times,
           shape->rate > 0 ? ",\"achieved_rate\":9998" : "");
    histogram(median, 0.6, 20000, times);
    printf(",\"histogram_uncorrected\":");
    if (shape->rate > 0)
        histogram(median * 0.97, 0.4, 20000, 1);
    else
        printf("null");
    printf(",\"error\":null}\n");
    return 1;
}

static int stream_cell(const struct shape *shape, double rate, int block, struct machine machine)
{
    double messages = rate * (0.95 + 0.1 * uniform());
    cell_begin(shape, block, machine);
    printf("\"metrics\":{");
    if (shape->limit == NULL || strcmp(shape->limit, "memcpy") != 0)
        printf("\"messages_per_second\":%.0f,", messages);
    printf("\"bytes_per_second\":%.0f,\"samples\":100000},", messages * shape->size);
    no_histogram();
    return 1;
}

/* Of one driver, what it needs: time a message, time a byte, in lines of the cache; what it costs. */
struct driver {
    const char *name;
    double lines, message_ns, byte_ns, idle, wakeup_ns;
};

static int cost_cells(const struct driver *driver, int block, struct machine machine)
{
    struct shape cost = {.family = "cost", .driver = driver->name, .size = 64, .publishers = 1, .subscribers = 1};
    struct shape life = {.family = "lifecycle", .driver = driver->name, .size = 64, .publishers = 1, .subscribers = 1};
    double a = 0.95 + 0.1 * uniform();
    cell_begin(&cost, block, machine);
    printf("\"metrics\":{\"cpu_seconds_per_million\":%.4f,\"publisher_cpu_seconds_per_million\":%.4f,"
           "\"subscriber_cpu_seconds_per_million\":%.4f,\"idle_cpu_share\":%.6f,"
           "\"publisher_system_calls_per_message\":%.3f,\"bytes_per_pair\":%.0f,\"descriptors_per_pair\":%d},",
           a * driver->message_ns * 2e-3, a * driver->message_ns * 1.2e-3, a * driver->message_ns * 0.8e-3,
           driver->idle * a, driver->message_ns > 500 ? 1.0 : 0.02, 98304 * a, driver->message_ns > 500 ? 4 : 7);
    no_histogram();
    cell_begin(&life, block, machine);
    if (strcmp(driver->name, "fifo") == 0) {
        printf("\"metrics\":{},\"histogram\":null,\"error\":null,\"not_applicable\":\"it does not tell of peers "
               "(peer_events)\"}\n");
        return 2;
    }
    printf("\"metrics\":{\"first_message_ns\":%.0f,\"death_ns\":%.0f,\"close_ns\":%.0f,"
           "\"connects_per_second\":%.0f},",
           9e5 * a, 3e5 * a, 6e4 * a, 800 / a);
    no_histogram();
    return 2;
}

static int driver_cells(const struct driver *driver, int block, struct machine machine)
{
    static const int sizes[] = {64, 1024, 16384, 262144, 4194304};
    struct shape one = {.family = "latency", .driver = driver->name, .publishers = 1, .subscribers = 1, .rate = 10000};
    double lines = driver->lines * machine.line;
    int written = 0;
    for (int s = 0; s < 2; ++s) {
        one.size = sizes[s];
        one.family = "latency", one.rate = 10000;
        written += times_cell(&one, lines * 2.2 * (1 + s * 0.3), block, machine);
        one.family = "hot", one.rate = 0;
        written += times_cell(&one, lines * (1 + s * 0.3), block, machine);
    }
    one.family = "wakeup", one.size = 64;
    written += times_cell(&one, driver->wakeup_ns, block, machine);
    for (int s = 0; s < 5; ++s) {
        double rate = 1e9 / (driver->message_ns + driver->byte_ns * sizes[s]);
        one.family = "throughput", one.size = sizes[s];
        written += stream_cell(&one, rate, block, machine);
    }
    for (int size = 8; size <= 8 << 24; size *= 8) {
        one.family = "size", one.size = size;
        written += stream_cell(&one, 1e9 / (driver->message_ns + driver->byte_ns * size), block, machine);
    }
    for (int n = 2; n <= 8; n *= 2) {
        double rate = 1e9 / (driver->message_ns * n);
        struct shape many = {.family = "fanout", .driver = driver->name, .size = 64, .publishers = 1, .subscribers = n};
        written += stream_cell(&many, rate, block, machine);
        many.family = "fanin", many.publishers = n, many.subscribers = 1;
        written += stream_cell(&many, rate * n * 0.8, block, machine);
        many.family = "mesh", many.subscribers = n;
        written += stream_cell(&many, rate * 0.6, block, machine);
    }
    return written + cost_cells(driver, block, machine);
}

/* The bare ring at the ends only: nobody may draw it between. */
static int limit_cells(int block, struct machine machine)
{
    static const char streams[] = "\"throughput\",\"size\"";
    static const struct {
        int size;
        double ring, copy;
    } sizes[] = {{64, 35, 0}, {1024, 90, 0}, {4194304, 250000, 200000}};
    int written = 0;
    for (int s = 0; s < 3; ++s) {
        struct shape limit = {
            .size = sizes[s].size, .limit_of = streams, .limit_kind = "reference", .limit = "bare-ring"};
        written += stream_cell(&limit, 1e9 / sizes[s].ring, block, machine);
        limit.limit = "memcpy";
        if (sizes[s].copy > 0)
            written += stream_cell(&limit, 1e9 / sizes[s].copy, block, machine);
    }
    written += stream_cell(&(struct shape){.limit = "harness", .size = 64, .limit_of = streams, .limit_kind = "share"},
                           2e7, block, machine);
    written +=
        times_cell(&(struct shape){.limit = "futex", .size = 64, .limit_of = "\"wakeup\"", .limit_kind = "reference"},
                   5000, block, machine);
    written +=
        times_cell(&(struct shape){.limit = "unix", .size = 64, .limit_of = "\"wakeup\"", .limit_kind = "reference"},
                   7000, block, machine);
    cell_begin(&(struct shape){.limit = "line", .limit_of = "\"hot\"", .limit_kind = "bound"}, block, machine);
    printf("\"metrics\":{\"p50_ns\":%.1f},", machine.line);
    no_histogram();
    return written + 1;
}

static int target_cells(int block, struct machine machine)
{
    struct shape shape = {.family = "target-hot", .driver = "mmipc", .size = 64, .publishers = 1, .subscribers = 1};
    int written = times_cell(&shape, 2 * machine.line, block, machine);
    shape.family = "target-stream", shape.size = 1048576;
    written += stream_cell(&shape, 5000, block, machine);
    shape.driver = "unix";
    written += stream_cell(&shape, 4500, block, machine);
    shape.driver = "tcp";
    return written + stream_cell(&shape, 4000, block, machine);
}

static int block_cells(int block, struct machine machine, double faster)
{
    const struct driver drivers[] = {{"mmipc", 4 / faster, 90 / faster, 0.09, 0.0001, 6000},
                                     {"fifo", 90, 700, 0.4, 0, 8000},
                                     {"tcp", 160, 1100, 0.55, 0, 12000}};
    int written = 0;
    for (int d = 0; d < 3; ++d)
        written += driver_cells(&drivers[d], block, machine);
    return written + limit_cells(block, machine) + target_cells(block, machine);
}

/* `number` tells runs apart; `faster`: by how much mmipc is. */
static int bench(unsigned number, double faster)
{
    static const struct machine machines[] = {{"siblings", 25}, {"cluster", 58}, {"distant", 270}};
    int written = 0;
    header("bench", number, BLOCKS * CELLS);
    for (int block = 0; block < BLOCKS; ++block)
        written += block_cells(block, machines[block % 3], faster);
    footer(written);
    return written == BLOCKS * CELLS ? 0 : 1;
}

/* Every string that reaches the page tries to break out of it. */
static int hostile(void)
{
#define EVIL                                                                                                           \
    "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>\\\"'&\\u0001\xff"
    printf("{\"record\":\"header\",\"format\":1,\"kind\":\"conformance\",\"command\":\"" EVIL "\",\"started\":\"" EVIL
           "\",\"planned\":1,\"environment\":{\"cpu\":\"" EVIL "\",\"" EVIL "\":\"" EVIL
           "\"},\"drivers\":[{\"name\":\"" EVIL "\",\"summary\":\"" EVIL
           "\",\"homepage\":\"javascript:document.title='owned'\"}]}\n");
    one_case(EVIL, "X-" EVIL, EVIL, "fail", EVIL, EVIL);
    footer(1);
    return 0;
}

/* Lists where objects belong, whose members have no names; a header that leaves out what is planned. */
static int lists(void)
{
    puts("{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"environment\":[1,2],\"drivers\":[1,\"x\",[2]]}\n"
         "{\"record\":\"cell\",\"row\":\"hot/a/64B/"
         "1x1\",\"family\":\"hot\",\"driver\":\"a\",\"size\":64,\"publishers\":1,"
         "\"subscribers\":1,\"block\":0,\"metrics\":[1,2]}");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "conformance") == 0)
        return conformance();
    if (argc == 2 && strcmp(argv[1], "bench") == 0)
        return bench(0, 1);
    if (argc == 2 && strcmp(argv[1], "faster") == 0)
        return bench(1, 1.25);
    if (argc == 2 && strcmp(argv[1], "hostile") == 0)
        return hostile();
    if (argc == 2 && strcmp(argv[1], "lists") == 0)
        return lists();
    fputs("usage: results-sample conformance|bench|faster|hostile|lists\n", stderr);
    return 64;
}
