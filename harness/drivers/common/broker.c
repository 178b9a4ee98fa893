#include "broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "params.h"

enum { FOLDER = 512, ATTEMPTS = 5 };

struct broker {
    struct daemon *daemon;
    char folder[FOLDER];
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    remove(path);
    return 0;
}

static void folder_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* One that is free now. Another may take it before the broker does, which therefore gets several attempts. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int result = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        result = -errno;
    close(fd);
    return result < 0 ? result : ntohs(address.sin_port);
}

static int configure(const struct broker_kind *kind, const ipcmark_endpoint *options, unsigned port, const char *path,
                     const char *folder)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return -errno;
    int result = kind->configure(file, options, port, folder);
    if (fclose(file) != 0 && result == 0)
        result = -errno;
    return result;
}

static int start(struct broker *broker, const struct broker_kind *kind, const ipcmark_endpoint *options, int *port)
{
    char path[FOLDER + 16];
    const char *with_option[] = {kind->program, kind->option, path, NULL}, *without[] = {kind->program, path, NULL};
    int result = -ECHILD;
    snprintf(path, sizeof path, "%s/broker.conf", broker->folder);
    for (int attempt = 0; attempt < ATTEMPTS && result == -ECHILD; ++attempt) {
        *port = free_port();
        if (*port < 0)
            return *port;
        result = configure(kind, options, (unsigned)*port, path, broker->folder);
        if (result == 0)
            result = daemon_start(&broker->daemon, kind->option != NULL ? with_option : without, broker->folder,
                                  kind->ready);
    }
    return result;
}

int broker_open(void **out, const ipcmark_endpoint *options, const struct broker_kind *kind, char *address,
                size_t address_size)
{
    struct broker *broker = calloc(1, sizeof *broker);
    int port, result;
    if (broker == NULL)
        return -ENOMEM;
    if (snprintf(broker->folder, sizeof broker->folder, "%s/broker-XXXXXX", options->directory) >= FOLDER) {
        free(broker);
        return -ENAMETOOLONG;
    }
    if (mkdtemp(broker->folder) == NULL) {
        result = -errno;
        free(broker);
        return result;
    }
    result = start(broker, kind, options, &port);
    if (result < 0) {
        folder_remove(broker->folder);
        free(broker);
        return result;
    }
    snprintf(address, address_size, "127.0.0.1:%d", port);
    *out = broker;
    return 0;
}

void broker_close(void *handle)
{
    struct broker *broker = handle;
    daemon_stop(broker->daemon);
    folder_remove(broker->folder);
    free(broker);
}

int broker_address(const ipcmark_endpoint *options, char host[BROKER_HOST], int *port)
{
    const char *address = param_find(options, "broker", NULL);
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    if (colon == NULL || colon - address >= BROKER_HOST || (*port = atoi(colon + 1)) <= 0)
        return -EDESTADDRREQ;
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    return 0;
}
