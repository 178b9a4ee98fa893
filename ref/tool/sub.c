/* mmipc sub — messages become lines of standard output. */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: mmipc sub [OPTION…] CHANNEL DIR\n"
    "\n"
    "Prints each message of the channel as a line, of any length, as soon as it arrives. Parts of a\n"
    "message are separated by a tabulator; a message without parts is an empty line, as is one of one\n"
    "empty part. Messages that hold line ends or tabulators of their own, or bytes that are no text, are\n"
    "told apart by --quoted.\n"
    "\n"
    "  -c, --count N            end after N messages\n"
    "  -t, --timeout SECONDS    end when no message came for so long\n"
    "      --until-gone         end when there has been a publisher and the last one has gone\n"
    "  -q, --quoted             each part in double quotes, with \\n, \\t, \\\\, \\\" and \\xHH inside, parts\n"
    "                           separated by a space: no parts are an empty line, an empty part is \"\"\n"
    "  -r, --raw                the bytes of the parts and nothing else, no line ends\n"
    "      --allow-other-users  let in publishers of other users, if they let us in\n"
    "  -v, --verbose            the library's log on standard error, not only warnings\n"
    "\n"
    "  mmipc sub prices /tmp/market\n"
    "  mmipc sub --count 1 --timeout 10 ready /run/app && echo 'it said so'\n"
    "  mmipc sub --until-gone --quoted events /run/app >events.txt\n"
    "\n"
    "Exit codes: 0 N messages came, or the publishers have gone; 1 an error; 2 the time ran out; 64\n"
    "usage; 128 + N ended by signal N (130 Ctrl-C, 143 SIGTERM, 141 nobody reads standard output any\n"
    "more). What was received is printed first, unless nobody reads it.\n";

enum form { FORM_LINES, FORM_QUOTED, FORM_RAW };

struct sub {
    mmipc_options options;
    enum form form;
    long count;
    double timeout;
    bool until_gone, verbose;
    int wakeup;
    _Atomic int came, went; /* publishers */
    mmipc_subscriber *subscriber;
    struct writer writer;
};

static void log_line(void *user, int level, const char *text)
{
    const struct sub *sub = user;
    if (level < 2 || sub->verbose)
        fprintf(stderr, "mmipc: %s\n", text);
}

static void peer_changed(void *user, int event, int pid, int reason)
{
    struct sub *sub = user;
    (void)pid;
    /* one of another version goes without having come */
    sub->went += event == MMIPC_PEER_DISCONNECTED && reason != MMIPC_REASON_VERSION;
    sub->came += event == MMIPC_PEER_CONNECTED;
    wakeup_signal(sub->wakeup);
}

/* -1: go on; otherwise the exit code. */
static int parse(struct sub *sub, int argc, char **argv)
{
    static const struct option options[] = {{"count", required_argument, NULL, 'c'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"until-gone", no_argument, NULL, 'g'},
                                            {"quoted", no_argument, NULL, 'q'},
                                            {"raw", no_argument, NULL, 'r'},
                                            {"allow-other-users", no_argument, NULL, 'u'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, ":c:t:qrvh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            if (!parse_count(optarg, &sub->count))
                return misused("sub", "--count takes a number of messages, not '%s'", optarg);
            break;
        case 't':
            if (!parse_seconds(optarg, &sub->timeout))
                return misused("sub", "--timeout takes seconds, not '%s'", optarg);
            break;
        case 'g':
            sub->until_gone = true;
            break;
        case 'q':
        case 'r':
            sub->form = option == 'q' ? FORM_QUOTED : FORM_RAW;
            break;
        case 'u':
            sub->options.flags |= MMIPC_ALLOW_OTHER_USERS;
            break;
        case 'v':
            sub->verbose = true;
            break;
        case 'h':
            fputs(help, stdout);
            return end_output(EXIT_DONE);
        default:
            return misused("sub", option == ':' ? "%s needs a value" : "%s is not an option", argv[optind - 1]);
        }
    }
    return argc - optind == 2 ? -1 : misused("sub", "a channel and a directory are needed, nothing else");
}

static int print_quoted(struct writer *writer, const mmipc_part *part)
{
    char *text = text_escaped(part->data, part->size);
    int error = text == NULL ? -ENOMEM : write_out(writer, "\"", 1);
    if (error == 0)
        error = write_out(writer, text, strlen(text));
    if (error == 0)
        error = write_out(writer, "\"", 1);
    free(text);
    return error;
}

static int print_message(struct sub *sub, const mmipc_message *message)
{
    const mmipc_part *parts;
    const size_t count = mmipc_message_parts(message, &parts);
    int error = 0;
    for (size_t i = 0; i < count && error == 0; ++i) {
        if (i > 0 && sub->form != FORM_RAW)
            error = write_out(&sub->writer, sub->form == FORM_QUOTED ? " " : "\t", 1);
        if (error == 0)
            error = sub->form == FORM_QUOTED ? print_quoted(&sub->writer, &parts[i])
                                             : write_out(&sub->writer, parts[i].data, parts[i].size);
    }
    if (error == 0 && sub->form != FORM_RAW)
        error = write_out(&sub->writer, "\n", 1);
    return error;
}

/* No message is there now. -1: look again; otherwise the exit code. */
static int wait_for_more(struct sub *sub, int fd, int64_t deadline_ns)
{
    struct pollfd polled[] = {
        {.fd = fd, .events = POLLIN}, {.fd = sub->wakeup, .events = POLLIN}, {.fd = STDOUT_FILENO}};
    int error = write_flush(&sub->writer);
    if (error != 0)
        return end_for_error("cannot write to standard output", error);
    switch (await_many(polled, 3, deadline_ns)) {
    case AWAITED_STOP:
        return EXIT_BY_SIGNAL + stop_signal();
    case AWAITED_TOO_LATE:
        return EXIT_TOO_LATE;
    case AWAITED_READY:
        break;
    }
    if ((polled[2].revents & POLLERR) != 0) /* its reader has gone */
        return EXIT_BY_SIGNAL + SIGPIPE;
    wakeup_clear(sub->wakeup);
    return -1;
}

static int receive_all(struct sub *sub)
{
    const int fd = mmipc_subscriber_fd(sub->subscriber);
    int64_t deadline_ns = deadline_in(sub->timeout);
    long received = 0;
    int code = -1;
    while (code < 0 && received != sub->count) {
        /* Looked at before the messages: all that they had published is here when they are reported gone. Not the
         * number of connections, for suspended ones come back. */
        const bool gone = sub->went > 0 && sub->went == sub->came;
        mmipc_message *message;
        int result = stop_signal() != 0 ? -EINTR : mmipc_subscriber_receive(sub->subscriber, &message, 0);
        if (result == -EINTR) {
            code = EXIT_BY_SIGNAL + stop_signal();
        } else if (result == 0) {
            int error = print_message(sub, message);
            mmipc_message_release(message);
            if (error != 0)
                return end_for_error("cannot write to standard output", error);
            ++received;
            if (sub->timeout >= 0)
                deadline_ns = deadline_in(sub->timeout);
        } else if (result != -ETIMEDOUT) {
            code = complain("cannot receive: %s", mmipc_strerror(result));
        } else if (gone && sub->until_gone) {
            code = EXIT_DONE;
        } else {
            code = wait_for_more(sub, fd, deadline_ns);
        }
    }
    code = code < 0 ? EXIT_DONE : code;
    if (code != EXIT_BY_SIGNAL + SIGPIPE) {
        int error = write_flush(&sub->writer);
        if (error != 0)
            code = end_for_error("cannot write to standard output", error);
    }
    return code;
}

int command_sub(int argc, char **argv)
{
    static struct sub sub = {.count = -1, .timeout = -1}; /* static: it holds a buffer */
    int error, code;
    mmipc_options_init(&sub.options, sizeof sub.options);
    code = parse(&sub, argc, argv);
    if (code >= 0)
        return code;
    sub.wakeup = wakeup_open();
    if (sub.wakeup < 0)
        return end_for_error("cannot start", sub.wakeup);
    sub.options.on_peer = peer_changed;
    sub.options.on_log = log_line;
    sub.options.user = &sub;
    error = mmipc_subscriber_open(&sub.subscriber, argv[optind], argv[optind + 1], NULL, NULL, &sub.options);
    if (error != 0) {
        code = complain("cannot subscribe in '%s': %s", argv[optind + 1], mmipc_strerror(error));
    } else {
        code = receive_all(&sub);
        mmipc_subscriber_close(sub.subscriber);
    }
    close(sub.wakeup);
    return code;
}
