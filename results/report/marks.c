#include "marks.h"

static const char *const paths[MARKS] = {
    "M-6,0a6,6 0 1,0 12,0a6,6 0 1,0 -12,0z",
    "M-5.3,-5.3h10.6v10.6h-10.6z",
    "M0,-6.6l6.6,11.6h-13.2z",
    "M0,-7.2l6.2,7.2l-6.2,7.2l-6.2,-7.2z",
    "M0,6.6l6.6,-11.6h-13.2z",
    "M-2,-6.5h4v4.5h4.5v4h-4.5v4.5h-4v-4.5h-4.5v-4h4.5z",
    "M-6.1,-3.2l2.9,-2.9l3.2,3.2l3.2,-3.2l2.9,2.9l-3.2,3.2l3.2,3.2l-2.9,2.9l-3.2,-3.2l-3.2,3.2l-2.9,-2.9l3.2,-3.2z",
    "M0,-7.4l1.9,4.9l5.2,.3l-4,3.3l1.4,5.1l-4.5,-2.9l-4.5,2.9l1.4,-5.1l-4,-3.3l5.2,-.3z",
    "M-6.6,0a6.6,6.6 0 1,0 13.2,0a6.6,6.6 0 1,0 -13.2,0zM-3.6,0a3.6,3.6 0 1,0 7.2,0a3.6,3.6 0 1,0 -7.2,0z",
    "M-6,-6h12v12h-12zM-3,-3h6v6h-6z",
    "M0,-7.6l7.4,13h-14.8zM0,-1.8l-2.7,4.6h5.4z",
    "M0,-7.8l7,7.8l-7,7.8l-7,-7.8zM0,-3.4l-3,3.4l3,3.4l3,-3.4z",
    "M0,7.6l7.4,-13h-14.8zM0,1.8l-2.7,-4.6h5.4z",
    "M-6.4,-5.5l6.4,5.5l6.4,-5.5v11l-6.4,-5.5l-6.4,5.5z",
    "M-5.5,-6.4h11l-5.5,6.4l5.5,6.4h-11l5.5,-6.4z",
    "M-2.4,-7h4.8v14h-4.8z",
};

static const char *const limits[] = {
    "M-8,-1.2h6v2.4h-6zM2,-1.2h6v2.4h-6z",
    "M-8,-1.2h3v2.4h-3zM-1.5,-1.2h3v2.4h-3zM5,-1.2h3v2.4h-3z",
    "M-8,-1.2h8v2.4h-8zM2,-1.2h2v2.4h-2zM6,-1.2h2v2.4h-2z",
    "M-8,-1.2h12v2.4h-12zM6,-1.2h2v2.4h-2z",
    "M-7,-1.2h1.5v2.4h-1.5zM-.8,-1.2h1.5v2.4h-1.5zM5.5,-1.2h1.5v2.4h-1.5z",
};
enum { LIMITS = sizeof limits / sizeof limits[0] };

const char *mark_path(int style)
{
    return style < 0 ? limits[(-style - 1) % LIMITS] : paths[style % MARKS];
}

const char *mark_class(int style)
{
    static const char *const classes[MARKS] = {"k0", "k1", "k2",  "k3",  "k4",  "k5",  "k6",  "k7",
                                               "k8", "k9", "k10", "k11", "k12", "k13", "k14", "k15"};
    return style < 0 ? "limit" : classes[style % MARKS];
}

const char *mark_dashes(int style)
{
    static const char *const dashes[] = {"none", "7 3", "2 3", "9 3 2 3", "4 4", "12 4", "1 2", "6 2 1 2 1 2"};
    static const char *const of_limits[LIMITS] = {"6 5", "2 4", "10 3 2 3", "14 3", "1 6"};
    return style < 0 ? of_limits[(-style - 1) % LIMITS] : dashes[(style + style / 8) % 8];
}
