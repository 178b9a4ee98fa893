/* The driver over whichever transport is linked with this. */
#include "frame.h"
#include "publisher.h"
#include "subscriber.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Better to hear at once that the pairs' files cannot be made than to wait for ever. */
static int open_publisher(void **out, const ipcmark_endpoint *endpoint)
{
    if (stream_transport.publisher_makes_files && faccessat(AT_FDCWD, endpoint->directory, W_OK | X_OK, AT_EACCESS) < 0)
        return -errno;
    return publisher_open(out, endpoint, &stream_transport);
}

static int open_subscriber(void **out, const ipcmark_endpoint *endpoint, ipcmark_deliver_fn *deliver, void *context)
{
    return subscriber_open(out, endpoint, &stream_transport, deliver, context);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .version = IPCMARK_VERSION,
        .capabilities = STREAM_CAPABILITIES,
        .max_message_bytes = FRAME_BYTES_MAX,
        .publisher_open = open_publisher,
        .publish = publisher_publish,
        .publisher_peers = publisher_peers,
        .publisher_close = publisher_close,
        .subscriber_open = open_subscriber,
        .subscriber_peers = subscriber_peers,
        .subscriber_close = subscriber_close,
    };
    driver.name = stream_transport.name;
    driver.summary = stream_transport.summary;
    return &driver;
}
