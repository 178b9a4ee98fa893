/* The shapes that tell implementations apart where colour does not: in tables, charts and pictures the same. */
#ifndef REPORT_MARKS_H
#define REPORT_MARKS_H

enum { MARKS = 16 };

/* An SVG path around (0, 0), from -8 to 8, filled by the even-odd rule; below 0: of a limit's line. */
const char *mark_path(int style);

/* The class that colours it: "k3", or "limit"; static. */
const char *mark_class(int style);

/* Of its line: an SVG stroke-dasharray, "none" of the first. */
const char *mark_dashes(int style);

#endif
