/* A participant: this test program, started again with a driver to load and commands on its standard input. Every
 * command is a line and has one line as its answer, "ok …" or the reason why not:
 *
 *   publisher NAME CHANNEL | subscriber NAME CHANNEL     opens the endpoint that the commands below are about
 *   peers publisher|subscriber N                         waits until it counts N
 *   publish FIRST COUNT SIZE [THREADS]                   numbered messages, each thread as a publisher of its own
 *   shapes SHAPE…                                        messages of parts with these sizes: "3,0,5"; "-" has no part
 *   unbound FIRST COUNT SIZE                             publish, in a thread of its own, without waiting for its end
 *   received PUBLISHER LAST                              waits until message LAST of PUBLISHER has come
 *   seen SHAPE…                                          waits until exactly these shapes have come
 *   gate closed|open                                     the handler waits at a closed gate
 *   at_gate                                              waits until the handler stands there
 *   answer N                                             the handler answers each message of publisher N by one as N +
 * 2 close_at N                                           the handler closes its subscriber in its N-th message closed
 * waits until it has, and says how many messages came close publisher|subscriber | rounds COUNT CHANNEL | census | quit
 *
 * A handler that receives anything but the next message of a publisher, whole and intact, makes every answer from then
 * on say so.
 */
#ifndef PARTICIPANT_H
#define PARTICIPANT_H

enum { PARTICIPANT_PROGRESS = 3 /* descriptor: a shared page that counts the messages published with success */ };

int participant_main(const char *driver, const char *directory);

#endif
