/* Figures as people read them: three significant digits and a unit. NAN is an en dash. */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

struct formatted {
    char text[48];
};

struct formatted format_duration(double nanoseconds);       /* 312 ns, 4.21 µs */
struct formatted format_count(double number);               /* 950, 12,500, 3.41 M */
struct formatted format_size(double bytes);                 /* 64 B, 4 KiB */
struct formatted format_bandwidth(double bytes_per_second); /* 3.21 GB/s */
struct formatted format_ratio(double ratio);                /* 3.4 × */
struct formatted format_factor(double ratio);               /* 3.4: the same without its sign */
struct formatted format_percentile(double fraction);        /* 99.9 % */

/* A metric's value by the unit in its name: `_ns`, `bytes_per_second`, `messages_per_second`, `_share`, … */
struct formatted format_metric(const char *metric, double value);

/* What its axis shows (see report.js): "duration", "bandwidth", "rate", "share", "size" or "count"; static. */
const char *format_kind(const char *metric);

/* A metric's name in words: "messages/s". */
struct formatted format_metric_name(const char *metric);

#endif
