/* A connection to the server, through hiredis. */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include "ipcmark/driver.h"

#include <hiredis/hiredis.h>

/* One piece of a command; any bytes. */
struct word {
    const void *data;
    size_t size;
};
#define WORD(text) ((struct word){(text), strlen(text)})

enum { WORDS_MAX = 16 };

/* To the parameter "broker". */
int connection_open(redisContext **out, const ipcmark_endpoint *options);
int connection_open_at(redisContext **out, const char *host, int port);

/* Sends a command. -ENOMEM: nothing of it was sent. Any other error: the connection is of no use any more. */
int connection_send(redisContext *connection, const struct word words[], int count);
/* Waits for a reply, which is freed by freeReplyObject and may be an error of the server's. */
int connection_reply(redisContext *connection, redisReply **reply);
/* Both; the reply is of this type, REDIS_REPLY_…, or the result is an error. */
int connection_command(redisContext *connection, const struct word words[], int count, int type, redisReply **reply);

/* -ENOMEM: the server is at its maxmemory and has not done it; 0: this is no error; else -EPROTO. */
int reply_error(const redisReply *reply);

/* Ends whatever the connection is blocked in, and all that comes after. */
void connection_cut(redisContext *connection);

#endif
