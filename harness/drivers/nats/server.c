#include "server.h"

#include "broker.h"

/* max_pending is what the server holds for a client that does not read, before it cuts it off; ping_interval and
 * write_deadline would do so with one that is stopped for long. */
static const char settings[] = "listen: \"127.0.0.1:%u\"\n"
                               "max_payload: %d\n"
                               "max_pending: 536870912\n"
                               "write_deadline: \"10m\"\n"
                               "ping_interval: \"10m\"\n";

static int configure_core(FILE *file, const ipcmark_endpoint *options, unsigned port, const char *folder)
{
    (void)options, (void)folder;
    fprintf(file, settings, port, SERVER_MAX_PAYLOAD);
    return 0;
}

/* A stream reserves its max_bytes, and there is no telling how many channels there will be; none is kept in files. */
static int configure_jetstream(FILE *file, const ipcmark_endpoint *options, unsigned port, const char *folder)
{
    configure_core(file, options, port, folder);
    fprintf(file, "jetstream { store_dir: \"%s\", max_mem: 1TB, max_file: 1MB }\n", folder);
    return 0;
}

int server_open(void **out, const ipcmark_endpoint *options, bool jetstream, char *address, size_t address_size)
{
    static const struct broker_kind core = {
        .program = PEER_PROGRAM, .option = "--config", .ready = "Server is ready", .configure = configure_core};
    static const struct broker_kind with_jetstream = {
        .program = PEER_PROGRAM, .option = "--config", .ready = "Server is ready", .configure = configure_jetstream};
    return broker_open(out, options, jetstream ? &with_jetstream : &core, address, address_size);
}

void server_close(void *server)
{
    broker_close(server);
}
