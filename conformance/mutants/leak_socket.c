#include "mutant.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

/* No file tells of it, and so nobody thought of closing it. */
static int leak(mutant_endpoint *endpoint, const ipcmark_endpoint *options)
{
    const struct sockaddr_un any = {.sun_family = AF_UNIX};
    const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)endpoint, (void)options;
    return socket_ < 0 || bind(socket_, (const struct sockaddr *)&any, sizeof any.sun_family) < 0 ? -errno : 0;
}

MUTANT(.name = "leak_socket", .fault = "each open leaves a socket of an abstract name", .class_name = "leftover",
       .must_fail = "LIFE-003 LIFE-004", .may_fail = "", .before_open = leak)
