#include "ipcmark/journal.h"

#include <errno.h>

static const char *const texts[IPCMARK_KINDS] = {
    [IPCMARK_OPEN_INVOKE] = "open_invoke", [IPCMARK_OPEN_DONE] = "open_done", [IPCMARK_CLOSE_INVOKE] = "close_invoke",
    [IPCMARK_CLOSE_DONE] = "close_done",   [IPCMARK_INVOKE] = "invoke",       [IPCMARK_OK] = "ok",
    [IPCMARK_FAILED] = "failed",           [IPCMARK_UNKNOWN] = "unknown",     [IPCMARK_RECEIVED] = "received",
    [IPCMARK_PEER_UP] = "peer_up",         [IPCMARK_PEER_DOWN] = "peer_down", [IPCMARK_PEERS] = "peers",
};

const char *ipcmark_kind_text(int kind)
{
    return kind > 0 && kind < IPCMARK_KINDS ? texts[kind] : NULL;
}

int ipcmark_kind_parse(const char *text)
{
    for (int kind = 1; kind < IPCMARK_KINDS; ++kind)
        if (strcmp(text, texts[kind]) == 0)
            return kind;
    return -EINVAL;
}
