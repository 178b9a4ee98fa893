/* The request "footprint", as ipcmark-agent has it. */
#include <errno.h>

#include <ipcmark/footprint.h>

#include "peer.h"

int footprint(struct request *request)
{
    int error = ipcmark_footprint(request->reply);

    return error == -ENOSYS ? request_fail(request, error, "this kernel has no Pss_Anon in smaps_rollup") : error;
}
