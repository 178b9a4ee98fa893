/* A driver with a broker: the template's datagrams, in a folder that the broker makes and takes away.
 * Parameters: folder=NAME, of that folder; here=PATH, of what must be there. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define ipcmark_driver_get template_driver_get
#include "../../template/mine.c"
#undef ipcmark_driver_get

__attribute__((visibility("default"))) const ipcmark_driver *ipcmark_driver_get(void);

/* What stands behind "key=" among the parameters, or what is said here. */
static const char *find_param(const ipcmark_endpoint *options, const char *key, const char *otherwise)
{
    const size_t length = strlen(key);
    for (const char *const *each = options->params; *each != NULL; ++each)
        if (strncmp(*each, key, length) == 0 && (*each)[length] == '=')
            return *each + length + 1;
    return otherwise;
}

/* "here": a file that is there for whoever has got its path as it was meant. */
static int check_params(const ipcmark_endpoint *options)
{
    const char *here = find_param(options, "here", "/");
    return here[0] != '/' || access(here, F_OK) < 0 ? -ENOENT : 0;
}

static int broker_open(void **out, const ipcmark_endpoint *options, char *address, size_t address_size)
{
    int wrong = check_params(options);
    if (wrong < 0)
        return wrong;
    int length = snprintf(address, address_size, "%s/%s", options->directory, find_param(options, "folder", "broker"));
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

/* The same, in the broker's folder, which has the name that was asked for. */
static int redirect(ipcmark_endpoint *copy, const ipcmark_endpoint *options)
{
    const char *folder = find_param(options, "folder", "broker"), *slash;
    *copy = *options;
    copy->directory = find_param(options, "broker", NULL);
    if (copy->directory == NULL || (slash = strrchr(copy->directory, '/')) == NULL || strcmp(slash + 1, folder) != 0)
        return -EDESTADDRREQ;
    return check_params(options);
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
