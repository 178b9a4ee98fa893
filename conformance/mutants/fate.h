/* What became of a peer that is reported disconnected, for mutants that treat the dead and the stopped wrongly. Only a
 * base that names its peers "pid:N" can tell them apart: such mutants need IPCMARK_CAP_PING. */
#ifndef FATE_H
#define FATE_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { PEER_CLOSED, PEER_STOPPED, PEER_DEAD } fate;

static inline fate fate_now(const char *peer)
{
    const unsigned exiting = 4; /* PF_EXITING: descriptors are closed on the way to death, before it can be seen */
    char path[64], text[512] = "", *end, state;
    unsigned flags;
    FILE *file;
    if (peer == NULL || strncmp(peer, "pid:", 4) != 0)
        return PEER_CLOSED;
    snprintf(path, sizeof path, "/proc/%s/stat", peer + 4);
    file = fopen(path, "re");
    if (file == NULL)
        return PEER_DEAD;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    end = strrchr(text, ')'); /* behind the name, which may have anything in it */
    if (end == NULL || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
        return PEER_DEAD;
    return state == 'T' ? PEER_STOPPED : state == 'Z' || (flags & exiting) != 0 ? PEER_DEAD : PEER_CLOSED;
}

/* Who dies lets go of its connections before it looks dead. */
static inline fate fate_of(const char *peer)
{
    fate result = fate_now(peer);
    if (result == PEER_CLOSED) {
        poll(NULL, 0, 20);
        result = fate_now(peer);
    }
    return result;
}

#endif
