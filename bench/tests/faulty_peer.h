/* What the faulty peer and who runs it both know. */
#ifndef FAULTY_PEER_H
#define FAULTY_PEER_H

/* Of messages of 1 MiB a warm-up is so many; of a reader that is late for it, and for each round, a round is as many as
 * it has at least. */
enum { LATE_MS = 500, LATE_WARM_UP = 16, LATE_ROUND = 50 };

#endif
