/* What open publishers were told of their subscribers, read from their journals while they live. */
#ifndef TOLD_H
#define TOLD_H

#include "stage.h"

/* Whether each open publisher has reported each open subscriber that it meets as connected, by a name that can only be
 * that one's in its present life. False where peers are not reported, or have no names. */
bool told_of_all(stage *);

#endif
