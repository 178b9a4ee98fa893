/* nng: pub0 and sub0 over Unix sockets. nng knows no directory: publishers advertise the address that they listen at
 * (roster.h), and each subscriber dials all of them. */
#include "driver.h"
#include "frame.h"
#include "params.h"

#include <errno.h>

enum {
    QUEUE_MOST = 8192, /* messages; nng takes no more */
    QUEUE_LARGE = 512, /* of messages that may be larger than LARGE: all of them are memory, at either end */
    LARGE = 65536
};

int nng_driver_error(int result)
{
    switch (result) {
    case 0:
        return 0;
    case NNG_ENOMEM:
        return -ENOMEM;
    case NNG_ECLOSED:
        return -ESHUTDOWN;
    case NNG_EMSGSIZE:
        return -EMSGSIZE;
    case NNG_EINVAL:
        return -EINVAL;
    case NNG_EADDRINUSE:
        return -EADDRINUSE;
    case NNG_ENOFILES:
        return -EMFILE;
    case NNG_EPERM:
        return -EPERM;
    case NNG_ENOSPC:
        return -ENOSPC;
    default:
        return (result & NNG_ESYSERR) != 0 ? -(result & ~NNG_ESYSERR) : -EIO;
    }
}

int nng_driver_queue(const ipcmark_endpoint *options, int *length)
{
    long given = options->max_message_bytes <= LARGE ? QUEUE_MOST : QUEUE_LARGE;
    const int result = param_number(options, "queue", 1, QUEUE_MOST, &given);
    *length = (int)given;
    return result;
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = "nng",
        .summary = "nng: pub0 and sub0 over Unix sockets; what a full queue has no room for is dropped",
        .homepage = "https://nng.nanomsg.org",
        .capabilities = IPCMARK_CAP_PEERS | IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER |
                        IPCMARK_CAP_DURABLE_PAUSE | IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY,
        .max_message_bytes = FRAME_BYTES_MAX,
        .publisher_open = nng_publisher_open,
        .publish = nng_publish,
        .publisher_peers = nng_publisher_peers,
        .publisher_close = nng_publisher_close,
        .subscriber_open = nng_subscriber_open,
        .subscriber_peers = nng_subscriber_peers,
        .subscriber_close = nng_subscriber_close,
    };
    driver.version = nng_version();
    return &driver;
}
