/* What a stream holds for those who have not read it: one consumer group each, named by the id that the server gave to
 * its reader's connection and gives to no other. */
#ifndef REDIS_BACKLOG_H
#define REDIS_BACKLOG_H

#include "connection.h"

enum { READER_ID = 24 };

/* Makes this connection a reader of what is added from now on. */
int backlog_join(redisContext *connection, const char *stream, char id[READER_ID]);
/* Over another connection than the reader's, which may be blocked. */
int backlog_leave(redisContext *connection, const char *stream, const char id[READER_ID]);

/* Strikes off readers whose connection is gone, and trims what all others have been sent; without readers the stream
 * itself. 0, or the connection broke. */
int backlog_trim(redisContext *connection, const char *stream);

#endif
