/* What a first program of a user looks like, valid as C11 and as C++17: `consumer sub DIR` prints what `consumer pub
 * DIR` publishes. */
#include <mmipc/mmipc.h>

#include <stdio.h>
#include <string.h>

static int publish(const char *directory)
{
    const mmipc_part parts[2] = {{"hello", 5}, {"world", 5}};
    mmipc_publisher *publisher = NULL;
    mmipc_loan *loan = NULL;
    void *data = NULL;
    mmipc_options options;
    mmipc_options_init(&options, sizeof options);
    options.when_full = MMIPC_WHEN_FULL_FAIL;
    int error = mmipc_publisher_open(&publisher, "consumer", directory, &options);
    if (error == 0)
        error = mmipc_publisher_wait_connected(publisher, 1, 20000);
    if (error == 0)
        error = mmipc_publish_parts(publisher, parts, 2);
    if (error == 0)
        error = mmipc_publish_begin(publisher, 100, &loan, &data);
    if (error == 0) {
        memcpy(data, "lent", 4);
        error = mmipc_publish_commit(loan, 4);
    }
    if (error == 0)
        error = mmipc_publisher_flush(publisher, 20000);
    mmipc_publisher_close(publisher);
    return error;
}

static int receive(mmipc_subscriber *subscriber)
{
    mmipc_message *message = NULL;
    const mmipc_part *parts = NULL;
    int error = mmipc_subscriber_receive(subscriber, &message, 20000);
    if (error != 0)
        return error;
    const size_t count = mmipc_message_parts(message, &parts);
    for (size_t i = 0; i < count; ++i)
        printf("%s%.*s", i == 0 ? "" : " ", (int)parts[i].size, (const char *)parts[i].data);
    puts("");
    mmipc_message_release(message);
    return 0;
}

static int subscribe(const char *directory)
{
    mmipc_subscriber *subscriber = NULL;
    int error = mmipc_subscriber_open(&subscriber, "consumer", directory, NULL, NULL, NULL);
    if (error == 0)
        error = receive(subscriber);
    if (error == 0)
        error = receive(subscriber);
    mmipc_subscriber_close(subscriber);
    return error;
}

int main(int argc, char **argv)
{
    int error;
    if (argc != 3)
        return 64;
    error = strcmp(argv[1], "pub") == 0 ? publish(argv[2]) : subscribe(argv[2]);
    if (error != 0)
        fprintf(stderr, "%s: %s\n", argv[1], mmipc_strerror(error));
    return error == 0 ? 0 : 1;
}
