/* mmipc pub — lines of standard input become messages. */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: mmipc pub [OPTION…] CHANNEL DIR\n"
    "\n"
    "Publishes each line of standard input as a message of one part, without its line end. A line may be\n"
    "of any length up to the backlog, hold any bytes, and be empty. Ends when standard input does; what\n"
    "was published is delivered even so.\n"
    "\n"
    "  -w, --wait N             wait until N subscribers are connected before the first line (1). A line that is\n"
    "                           published when nobody is connected reaches nobody, which is no error.\n"
    "  -t, --timeout SECONDS    wait no longer than this, for the subscribers, then for room for each line (for ever)\n"
    "  -c, --count N            end after N lines\n"
    "      --when-full WHAT     if a subscriber's backlog is full: block until it has room (the default), fail, or\n"
    "                           disconnect that subscriber and go on\n"
    "  -b, --backlog MIB        how much a subscriber may have unread before that, and the longest line (256)\n"
    "      --allow-other-users  let in subscribers of other users, if they let us in\n"
    "  -v, --verbose            the library's log on standard error, not only warnings\n"
    "\n"
    "  seq 1000 | mmipc pub numbers /tmp/market\n"
    "  tail -f app.log | mmipc pub --wait 0 log /run/app     # never waits for the first subscriber\n"
    "  mmipc pub --wait 3 --timeout 5 start /run/app </dev/null && echo 'three are there'\n"
    "\n"
    "Exit codes: 0 all lines are published; 1 one could not be (its number is told), or another error; 2\n"
    "the time ran out; 64 usage; 128 + N ended by signal N (130 Ctrl-C, 143 SIGTERM).\n";

/* How long a publish blocks before we look for a signal. It failed for everybody then, so it can be tried again. */
enum { LOOK_MS = 100 };

struct pub {
    mmipc_options options;
    long wait, count;
    double timeout;
    bool verbose;
    int wakeup;
    mmipc_publisher *publisher;
};

static void log_line(void *user, int level, const char *text)
{
    const struct pub *pub = user;
    if (level < 2 || pub->verbose)
        fprintf(stderr, "mmipc: %s\n", text);
}

static void peer_changed(void *user, int event, int pid, int reason)
{
    (void)event;
    (void)pid;
    (void)reason;
    wakeup_signal(((const struct pub *)user)->wakeup);
}

static bool set_when_full(mmipc_options *options, const char *text)
{
    static const char *const names[] = {"block", "fail", "disconnect"}; /* in the order of MMIPC_WHEN_FULL_… */
    for (int i = 0; i < 3; ++i) {
        if (strcmp(text, names[i]) == 0) {
            options->when_full = i;
            return true;
        }
    }
    return false;
}

/* -1: go on; otherwise the exit code. */
static int parse(struct pub *pub, int argc, char **argv)
{
    static const struct option options[] = {{"wait", required_argument, NULL, 'w'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"when-full", required_argument, NULL, 'f'},
                                            {"backlog", required_argument, NULL, 'b'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"allow-other-users", no_argument, NULL, 'u'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    long backlog;
    int option;
    while ((option = getopt_long(argc, argv, ":w:t:c:b:vh", options, NULL)) != -1) {
        switch (option) {
        case 'w':
            if (!parse_count(optarg, &pub->wait) || pub->wait > 1000000)
                return misused("pub", "--wait takes a number of subscribers, not '%s'", optarg);
            break;
        case 't':
            if (!parse_seconds(optarg, &pub->timeout))
                return misused("pub", "--timeout takes seconds, not '%s'", optarg);
            break;
        case 'c':
            if (!parse_count(optarg, &pub->count))
                return misused("pub", "--count takes a number of lines, not '%s'", optarg);
            break;
        case 'b':
            if (!parse_count(optarg, &backlog) || backlog == 0 || backlog > 1 << 20)
                return misused("pub", "--backlog takes a number of MiB, 1 or more, not '%s'", optarg);
            pub->options.max_backlog_bytes = (size_t)backlog << 20;
            break;
        case 'f':
            if (!set_when_full(&pub->options, optarg))
                return misused("pub", "--when-full takes block, fail or disconnect, not '%s'", optarg);
            break;
        case 'u':
            pub->options.flags |= MMIPC_ALLOW_OTHER_USERS;
            break;
        case 'v':
            pub->verbose = true;
            break;
        case 'h':
            fputs(help, stdout);
            return end_output(EXIT_DONE);
        default:
            return misused("pub", option == ':' ? "%s needs a value" : "%s is not an option", argv[optind - 1]);
        }
    }
    return argc - optind == 2 ? -1 : misused("pub", "a channel and a directory are needed, nothing else");
}

static int wait_for_subscribers(struct pub *pub, int64_t deadline_ns)
{
    int connected;
    while ((connected = mmipc_publisher_connections(pub->publisher)) < pub->wait) {
        if (connected < 0)
            return complain("cannot wait for subscribers: %s", mmipc_strerror(connected));
        switch (await(pub->wakeup, POLLIN, deadline_ns)) {
        case AWAITED_STOP:
            return EXIT_BY_SIGNAL + stop_signal();
        case AWAITED_TOO_LATE:
            complain("%d of %ld subscribers were connected when the time ran out", connected, pub->wait);
            return EXIT_TOO_LATE;
        case AWAITED_READY:
            wakeup_clear(pub->wakeup);
        }
    }
    return EXIT_DONE;
}

/* 0, -errno, or -EINTR for a signal. */
static int publish(const struct pub *pub, const char *line, size_t size)
{
    const int64_t deadline_ns = deadline_in(pub->timeout);
    for (;;) {
        const int result = mmipc_publish(pub->publisher, line, size);
        if (result != -ETIMEDOUT)
            return result;
        if (stop_signal() != 0)
            return -EINTR;
        if (deadline_ns >= 0 && deadline_in(0) >= deadline_ns)
            return -ETIMEDOUT;
    }
}

static int publish_lines(const struct pub *pub)
{
    struct line_reader reader = {0};
    int code = EXIT_DONE;
    char *line;
    for (long number = 1; code == EXIT_DONE && (pub->count < 0 || number <= pub->count); ++number) {
        const ssize_t size = line_read(&reader, &line);
        int error;
        if (size == -ENODATA)
            break;
        if (size < 0) {
            code = end_for_error("cannot read standard input", (int)size);
            break;
        }
        error = publish(pub, line, (size_t)size);
        if (error == -EINTR)
            code = EXIT_BY_SIGNAL + stop_signal();
        else if (error != 0) {
            complain("line %ld (%zd bytes) was not published: %s", number, size, mmipc_strerror(error));
            code = error == -ETIMEDOUT ? EXIT_TOO_LATE : EXIT_FAILED;
        }
    }
    line_reader_free(&reader);
    return code;
}

int command_pub(int argc, char **argv)
{
    struct pub pub = {.wait = 1, .count = -1, .timeout = -1};
    int error, code;
    mmipc_options_init(&pub.options, sizeof pub.options);
    code = parse(&pub, argc, argv);
    if (code >= 0)
        return code;
    pub.wakeup = wakeup_open();
    if (pub.wakeup < 0)
        return end_for_error("cannot start", pub.wakeup);
    pub.options.publish_timeout_ms = LOOK_MS;
    pub.options.on_peer = peer_changed;
    pub.options.on_log = log_line;
    pub.options.user = &pub;
    error = mmipc_publisher_open(&pub.publisher, argv[optind], argv[optind + 1], &pub.options);
    if (error != 0) {
        code = complain("cannot publish in '%s': %s", argv[optind + 1], mmipc_strerror(error));
    } else {
        code = wait_for_subscribers(&pub, deadline_in(pub.timeout));
        if (code == EXIT_DONE)
            code = publish_lines(&pub);
        mmipc_publisher_close(pub.publisher);
    }
    close(pub.wakeup);
    return code;
}
