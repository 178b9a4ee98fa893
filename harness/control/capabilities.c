/* Names of capabilities, in PROTOCOL.md and result files; the bits are those of ipcmark/driver.h, in their order. */
#include "ipcmark/control.h"

#include <string.h>

static const char *const names[] = {
    "multipart",
    "empty_message",
    "peers",
    "peer_events",
    "survives_publisher_death",
    "threads",
    "no_self_delivery",
    "publish_in_handler",
    "close_in_handler",
    "ping",
    "durable_pause",
    "directory_files",
    "isolation_directory",
    "when_full_block",
    "when_full_fail",
    "when_full_drop_reported",
};
_Static_assert(1u << (sizeof names / sizeof names[0] - 1) == IPCMARK_CAP_WHEN_FULL_DROP_REPORTED,
               "a name for each capability");

const char *ipcmark_capability_name(unsigned bit_number)
{
    return bit_number < sizeof names / sizeof names[0] ? names[bit_number] : NULL;
}

uint64_t ipcmark_capability_bit(const char *name)
{
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; ++i)
        if (strcmp(names[i], name) == 0)
            return UINT64_C(1) << i;
    return 0;
}
