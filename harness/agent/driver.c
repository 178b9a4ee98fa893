#include "agent.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char *find_fault(const ipcmark_driver *driver)
{
    if (driver == NULL)
        return "ipcmark_driver_get() returned NULL";
    if (driver->abi != IPCMARK_DRIVER_ABI)
        return "it was compiled for another version of ipcmark/driver.h";
    if (driver->size < sizeof *driver)
        return "its struct is smaller than ipcmark_driver: .size = sizeof(ipcmark_driver)";
    if (driver->name == NULL || driver->version == NULL || driver->summary == NULL)
        return "name, version and summary must not be NULL";
    if (driver->publisher_open == NULL || driver->publish == NULL || driver->publisher_close == NULL ||
        driver->subscriber_open == NULL || driver->subscriber_close == NULL)
        return "the functions to open, close and publish must not be NULL";
    if (driver->capabilities & IPCMARK_CAP_PEERS &&
        (driver->publisher_peers == NULL || driver->subscriber_peers == NULL))
        return "it claims peers, but its functions to count them are NULL";
    if ((driver->broker_open == NULL) != (driver->broker_close == NULL))
        return "broker_open and broker_close come as a pair";
    return NULL;
}

const ipcmark_driver *driver_load(const char *path, char *why, size_t why_size)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(why, why_size, "%s", dlerror());
        return NULL;
    }
    const ipcmark_driver *(*get)(void) = NULL;
    void *symbol = dlsym(library, "ipcmark_driver_get");
    memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from object to function pointers */
    if (get == NULL) {
        snprintf(why, why_size, "%s does not export ipcmark_driver_get()", path);
        return NULL;
    }
    const ipcmark_driver *driver = get();
    const char *fault = find_fault(driver);
    if (fault != NULL) {
        snprintf(why, why_size, "%s: %s", path, fault);
        return NULL;
    }
    return driver; /* stays loaded: its threads may live until we exit */
}
