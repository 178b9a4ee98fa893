/* Files in and out of the command. */
#ifndef REPORT_OUTPUT_H
#define REPORT_OUTPUT_H

/* output_write writes a file beside its place and renames it, so that whoever reads it never sees half of it; "-" is
 * standard output; what is no regular file is written into. 0 or -errno. */
int output_write(const char *path, const char *text);

/* output_read: the whole text, owned by the caller. 0 or -errno; -EFBIG beyond 16 MiB. */
int output_read(char **out, const char *path);

#endif
