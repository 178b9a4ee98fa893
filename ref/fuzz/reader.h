/* A subscriber as the fuzzer of the writer plays it: it reads what it is sent, and knows what it must be. */
#ifndef READER_H
#define READER_H

#include "fake_os.h"
#include "fuzz.h"
#include "reach.h"

enum { READER_RINGS = 64, READER_FILES = 64, READER_QUEUE = 128, NOISE = 1 << 18 };

struct expected {
    uint64_t sequence;
    size_t size, count;
};

struct reader {
    unsigned char id[ID_BYTES];
    bool honest, connected;
    bool left; /* it has hung up */
    int socket;
    int page; /* -1: none yet */
    struct ring_reader ring;
    int rings[READER_RINGS];
    uint64_t keys[READER_RINGS];
    int ring_count, ring_now;
    int files[READER_FILES];
    uint64_t names[READER_FILES]; /* + 1; 0: none */
    struct expected expected[READER_QUEUE];
    size_t read, written;
    struct ring_record taken[READER_QUEUE]; /* by the same index; not freed from `freed` on */
    size_t freed;
};

extern unsigned char reader_noise[NOISE + 256]; /* message SEQUENCE is the noise from SEQUENCE % 251 on */
size_t reader_parts(mmipc_part *parts, uint64_t sequence, size_t size, size_t count); /* what it consists of */

void reader_connect(struct reader *reader, struct endpoint *endpoint, unsigned char id); /* not 0 */
void reader_hear(struct reader *reader,
                 struct endpoint *endpoint); /* the publisher's control thread looks at its socket */
struct outlet *reader_outlet(const struct reader *reader, struct endpoint *endpoint); /* NULL: it is gone */
struct reader_page *reader_page(const struct reader *reader);
void reader_expect(struct reader *reader, const struct expected *expected);
void reader_read(struct reader *reader, size_t most); /* messages; honest: they must be what was expected */
void reader_free(struct reader *reader);              /* what was read, after a last look at it */
void reader_hang_up(struct reader *reader, struct endpoint *endpoint);
void reader_throw_mail_away(struct reader *reader);
void reader_close(struct reader *reader);

#endif
