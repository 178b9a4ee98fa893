/* An operating system inside the fuzzer, for what os.h asks of one: no system calls, a clock that stands still unless
 * it is looked at, and a count of everything that is open or mapped.
 *
 * Memory has two views: the library's, which a sanitizer guards while it is not mapped, and the fuzzer's, which is
 * always there. Descriptors that the fuzzer gets it must os_close(). */
#ifndef FAKE_OS_H
#define FAKE_OS_H

#include "atomics.h"
#include "os/os.h"
#include "wire.h"

void fake_reset(void); /* before each input; what an input before it left open is an error */
void fake_check_nothing_left(void);

unsigned char *fake_memory(int fd); /* the fuzzer's view; a ring twice in a row, as in the library's */
size_t fake_memory_bytes(int fd);
bool fake_is_mapped(const void *at, size_t size); /* in the library's view, of one file? */
unsigned char *
fake_shared_word(const void *at); /* the fuzzer's view of what the library sees there; NULL: not shared */
size_t fake_mapped_bytes(void);   /* by the library */

int fake_socket(void); /* an end for the library; dup it to keep the other */
int fake_dup(int fd);
bool fake_is_last(int fd); /* nobody else has what it stands for open */
void fake_post(int fd, const void *data, size_t size, const int *fds, int count); /* to the library */
bool fake_fetch(int fd, struct wire_message *message, int *fds, int *count);      /* from the library */
void fake_hang_up(int fd);
void fake_set_clogged(int fd, bool clogged); /* nothing can be sent through it */

extern void (*fake_while_waiting)(void); /* called when the library sleeps; NULL: nothing happens meanwhile */
void fake_pass_time(int64_t ns);

#endif
