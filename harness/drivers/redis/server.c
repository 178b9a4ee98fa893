#include "server.h"

#include "broker.h"

void server_configure(FILE *file, unsigned port, const char *folder)
{
    fprintf(file, "bind 127.0.0.1\nport %u\ndaemonize no\nlogfile \"\"\ndir \"%s\"\n", port, folder);
    fputs("save \"\"\nappendonly no\n", file);
}

int server_open(void **out, const ipcmark_endpoint *options,
                int (*configure)(FILE *, const ipcmark_endpoint *, unsigned, const char *), char *address,
                size_t address_size)
{
    const struct broker_kind kind = {
        .program = PEER_PROGRAM, .ready = "Ready to accept connections", .configure = configure};
    return broker_open(out, options, &kind, address, address_size);
}
