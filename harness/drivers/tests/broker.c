/* A driver with a broker: the template's datagrams, in a folder that the broker makes and takes away. */
#include <sys/stat.h>

#define ipcmark_driver_get template_driver_get
#include "../../template/mine.c"
#undef ipcmark_driver_get

__attribute__((visibility("default"))) const ipcmark_driver *ipcmark_driver_get(void);

static int broker_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    int length = snprintf(address, address_size, "%s/broker", options->directory);
    char *path = (size_t)length < address_size ? strdup(address) : NULL;
    if (path == NULL)
        return -ENOMEM;
    if (mkdir(path, 0700) < 0) {
        int error = -errno;
        free(path);
        return error;
    }
    *out = path;
    return 0;
}

/* Those that were killed have left their sockets. */
static void broker_close(void *handle)
{
    char path[512];
    DIR *directory = opendir(handle);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.' &&
            (size_t)snprintf(path, sizeof path, "%s/%s", (char *)handle, entry->d_name) < sizeof path)
            unlink(path);
    if (directory != NULL)
        closedir(directory);
    rmdir(handle);
    free(handle);
}

/* The same, in the broker's folder. */
static int redirect(ipcmark_endpoint *copy, const ipcmark_endpoint *options)
{
    *copy = *options;
    for (const char *const *each = options->params; *each != NULL; ++each)
        if (strncmp(*each, "broker=", 7) == 0)
            return copy->directory = *each + 7, 0;
    return -EDESTADDRREQ;
}

static int brokered_publisher(void **out, const ipcmark_endpoint *options)
{
    ipcmark_endpoint copy;
    int error = redirect(&copy, options);
    return error < 0 ? error : publisher_open(out, &copy);
}

static int brokered_subscriber(void **out, const ipcmark_endpoint *options, ipcmark_deliver_fn *deliver, void *context)
{
    ipcmark_endpoint copy;
    int error = redirect(&copy, options);
    return error < 0 ? error : subscriber_open(out, &copy, deliver, context);
}

const ipcmark_driver *ipcmark_driver_get(void)
{
    static ipcmark_driver driver;
    driver = *template_driver_get();
    driver.name = "broker";
    driver.summary = "the template, and a broker";
    driver.capabilities &= ~(uint64_t)(IPCMARK_CAP_DIRECTORY_FILES | IPCMARK_CAP_ISOLATION_DIRECTORY);
    driver.broker_open = broker_open;
    driver.broker_close = broker_close;
    driver.publisher_open = brokered_publisher;
    driver.subscriber_open = brokered_subscriber;
    return &driver;
}
