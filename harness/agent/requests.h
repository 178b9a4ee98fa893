/* requests.h — from lines to answers. */
#ifndef AGENT_REQUESTS_H
#define AGENT_REQUESTS_H

/* Answers requests from stdin until "stop" or its end. Returns the exit code. */
int requests_serve(void);

#endif
