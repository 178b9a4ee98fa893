/* Writes result files as a real run would, from a fixed seed: for tests of what reads them.
 *
 *     results-sample conformance | bench | hostile | lists     > FILE.jsonl
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCKS = 12 };

static uint64_t state = 0x1234567812345678;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void header(const char *kind, int planned)
{
    printf(
        "{\"record\":\"header\",\"format\":1,\"kind\":\"%s\",\"suite_version\":\"0.1.0\",\"contract_version\":\"1\","
        "\"run\":\"00c0ffee%08x\",\"seed\":4711,\"command\":\"ipcmark %s --driver mmipc --driver fifo --driver tcp "
        "--seed 4711\",\"started\":\"2024-05-01T12:00:00Z\",\"manifest\":\"89abcdef\",\"planned\":%d,\"environment\":{"
        "\"cpu\":\"Example CPU 3000\",\"cpus\":8,\"kernel\":\"6.1.0\",\"os\":\"Debian GNU/Linux 12 (bookworm)\","
        "\"virtualization\":\"none\",\"governor\":\"performance\",\"smt\":false,\"memory_bytes\":17179869184,\"load\":"
        "0.2,"
        "\"compiler\":\"GCC 12.2.0\",\"flags\":\"-O2 -g\",\"commit\":\"0123abc\"},\"drivers\":["
        "{\"name\":\"mmipc\",\"version\":\"0.1.0\",\"summary\":\"shared "
        "memory\",\"homepage\":\"\",\"capabilities\":[]},"
        "{\"name\":\"fifo\",\"version\":\"1\",\"summary\":\"named pipes\",\"homepage\":\"\",\"capabilities\":[]},"
        "{\"name\":\"tcp\",\"version\":\"1\",\"summary\":\"loopback TCP\",\"homepage\":\"\",\"capabilities\":[]}]}\n",
        kind, (unsigned)kind[0], kind, planned);
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
    header("conformance", 3 * CLAUSES);
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

/* A long-tailed histogram around a median, as durations have it. */
static void histogram(double median, double tail, int samples)
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
            printf("%s[%.0f,%" PRIu64 "]", first ? "" : ",", median * exp(i / 50.0 - 2) + i, counts[i]);
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

static void cell_begin(const char *row, const char *family, const char *driver, int size, int subscribers, int rate,
                       int block, struct machine machine)
{
    printf("{\"record\":\"cell\",\"row\":\"%s\",\"family\":\"%s\",\"driver\":\"%s\",", row, family, driver);
    if (size > 0)
        printf("\"size\":%d,", size);
    if (subscribers > 0)
        printf("\"publishers\":1,\"subscribers\":%d,", subscribers);
    if (rate > 0)
        printf("\"rate\":%d,", rate);
    printf("\"block\":%d,\"placement\":\"%s\",\"line_before_ns\":%.1f,\"line_after_ns\":%.1f,\"steal_ns\":0,"
           "\"context_switches\":12,",
           block, machine.placement, machine.line * (0.98 + 0.04 * uniform()),
           machine.line * (0.98 + 0.04 * uniform()));
}

static void latency_cell(const char *family, const char *driver, double lines, int size, int rate, int block,
                         struct machine machine)
{
    char row[96], bytes[16], tail[16] = "";
    double median = lines * machine.line * (0.95 + 0.1 * uniform());
    size_name(bytes, sizeof bytes, size);
    if (rate > 0)
        snprintf(tail, sizeof tail, "/r%d", rate);
    snprintf(row, sizeof row, "%s/%s/%s/1x1%s", family, driver, bytes, tail);
    cell_begin(row, family, driver, size, 1, rate, block, machine);
    printf("\"metrics\":{\"p50_ns\":%.0f,\"samples\":20000%s},\"histogram\":", median,
           rate > 0 ? ",\"achieved_rate\":9998" : "");
    histogram(median, 0.6, 20000);
    printf(",\"histogram_uncorrected\":");
    if (rate > 0)
        histogram(median * 0.97, 0.4, 20000);
    else
        printf("null");
    printf(",\"error\":null}\n");
}

static void stream_cell(const char *family, const char *driver, double rate, int size, int subscribers, int block,
                        struct machine machine)
{
    char row[96], bytes[16];
    double messages = rate * (0.95 + 0.1 * uniform());
    size_name(bytes, sizeof bytes, size);
    if (strcmp(driver, "limit") == 0)
        snprintf(row, sizeof row, "limit/%s/%s", subscribers ? "bare-ring" : "memcpy", bytes);
    else
        snprintf(row, sizeof row, "%s/%s/%s/1x%d", family, driver, bytes, subscribers);
    cell_begin(row, family, driver, size, strcmp(driver, "limit") == 0 ? 0 : subscribers, 0, block, machine);
    printf("\"metrics\":{");
    if (subscribers)
        printf("\"messages_per_second\":%.0f,", messages);
    printf("\"bytes_per_second\":%.0f,\"samples\":100000},\"histogram\":null,\"histogram_uncorrected\":null,"
           "\"error\":null}\n",
           messages * size);
}

static int block_cells(int block, struct machine machine)
{
    static const struct {
        const char *name;
        double lines, message_ns, byte_ns;
    } drivers[] = {{"mmipc", 4, 90, 0.09}, {"fifo", 90, 700, 0.4}, {"tcp", 160, 1100, 0.55}};
    static const int sizes[] = {64, 1024, 16384, 262144, 4194304};
    int written = 0;
    for (int d = 0; d < 3; ++d) {
        for (int s = 0; s < 2; ++s, written += 2) {
            latency_cell("latency", drivers[d].name, drivers[d].lines * 2.2 * (1 + s * 0.3), sizes[s], 10000, block,
                         machine);
            latency_cell("hot", drivers[d].name, drivers[d].lines * (1 + s * 0.3), sizes[s], 0, block, machine);
        }
        for (int s = 0; s < 5; ++s, ++written)
            stream_cell("throughput", drivers[d].name, 1e9 / (drivers[d].message_ns + drivers[d].byte_ns * sizes[s]),
                        sizes[s], 1, block, machine);
        for (int m = 1; m <= 8; m *= 2, ++written)
            stream_cell("fanout", drivers[d].name, 1e9 / (drivers[d].message_ns * m), 64, m, block, machine);
    }
    for (int s = 0; s < 5; ++s, written += 2) {
        stream_cell("limit", "limit", 1e9 / (35 + 0.06 * sizes[s]), sizes[s], 1, block, machine);
        stream_cell("limit", "limit", 1e9 / (2 + 0.05 * sizes[s]), sizes[s], 0, block, machine);
    }
    cell_begin("limit/line", "limit", "limit", 0, 0, 0, block, machine);
    printf("\"metrics\":{\"one_way_ns\":%.1f},\"histogram\":null,\"histogram_uncorrected\":null,\"error\":null}\n",
           machine.line);
    return written + 1;
}

static void target(const char *name, const char *row, const char *metric, const char *rival, double value,
                   double rival_value, double median, double bound, const char *verdict, const char *why)
{
    printf(
        "{\"record\":\"target\",\"target\":\"%s\",\"row\":\"%s\",\"metric\":\"%s\",\"value\":%g,\"judged\":\"%s\","
        "\"median\":%g,\"low\":%g,\"high\":%g,\"count\":12,\"bound_kind\":\"at_most\",\"bound\":%g,\"verdict\":\"%s\",",
        name, row, metric, value, *rival ? "ratio" : "value", median, median * 0.9, median * 1.1, bound, verdict);
    if (*rival)
        printf("\"rival\":\"%s\",\"rival_value\":%g,", rival, rival_value);
    printf(*why ? "\"why\":\"%s\"}\n" : "\"why\":null}\n", why);
}

/* The first one twice, as in a run that was gone on with. */
static int targets(void)
{
    target("one way, 64 B", "target-hot/mmipc/64B/1x1", "p50_ns", "line", 116, 58, 2, 2.5, "unknown", "too few pairs");
    target("one way, 64 B", "target-hot/mmipc/64B/1x1", "p50_ns", "line", 116, 58, 2, 2.5, "reached", "");
    target("stream, 1 MiB", "target-stream/mmipc/1MiB/1x1", "messages_per_second", "target-stream/unix/1MiB/1x1", 9000,
           4500, 2, 1, "not reached", "");
    target("idle", "target-idle/mmipc/64B/1x1", "cpu_share", "", 0.0001, 0, 0.0001, 0.0002, "reached", "");
    return 4;
}

static int bench(void)
{
    static const struct machine machines[] = {{"siblings", 25}, {"cluster", 58}, {"distant", 270}};
    int written = 0;
    header("bench", BLOCKS * 50);
    for (int block = 0; block < BLOCKS; ++block)
        written += block_cells(block, machines[block % 3]);
    written += targets();
    footer(written);
    return 0;
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
        return bench();
    if (argc == 2 && strcmp(argv[1], "hostile") == 0)
        return hostile();
    if (argc == 2 && strcmp(argv[1], "lists") == 0)
        return lists();
    fputs("usage: results-sample conformance|bench|hostile|lists\n", stderr);
    return 64;
}
