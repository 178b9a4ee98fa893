/* A chart as a picture of its own, light and dark as its reader's screen is. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include "chart.h"

/* Owned by the caller; NULL if memory ran out. */
char *svg_draw(const struct chart *chart);

#endif
