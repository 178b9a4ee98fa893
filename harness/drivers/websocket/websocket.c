#include "websocket.h"

#include "frame.h"

#include <libwebsockets.h>

const ipcmark_driver *ipcmark_driver_get(void)
{
    static ipcmark_driver driver = {
        .abi = IPCMARK_DRIVER_ABI,
        .size = sizeof driver,
        .name = WEBSOCKET_DRIVER,
        .summary = "libwebsockets: each publisher a WebSocket server on loopback",
        .homepage = "https://libwebsockets.org",
        .capabilities = IPCMARK_CAP_EMPTY_MESSAGE | IPCMARK_CAP_PEERS | IPCMARK_CAP_PEER_EVENTS | IPCMARK_CAP_THREADS |
                        IPCMARK_CAP_NO_SELF_DELIVERY | IPCMARK_CAP_PUBLISH_IN_HANDLER | IPCMARK_CAP_CLOSE_IN_HANDLER |
                        IPCMARK_CAP_DURABLE_PAUSE | IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY |
                        IPCMARK_CAP_WHEN_FULL_BLOCK,
        .max_message_bytes = FRAME_BYTES_MAX,
        .publisher_open = websocket_publisher_open,
        .publish = websocket_publish,
        .publisher_peers = websocket_publisher_peers,
        .publisher_close = websocket_publisher_close,
        .subscriber_open = websocket_subscriber_open,
        .subscriber_peers = websocket_subscriber_peers,
        .subscriber_close = websocket_subscriber_close,
    };
    driver.version = lws_get_library_version();
    return &driver;
}
