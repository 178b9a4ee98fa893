/* Inside model_build(): one file builds each part. All that build return 0 or -ENOMEM. */
#ifndef IPCMARK_MODEL_PARTS_H
#define IPCMARK_MODEL_PARTS_H

#include "model.h"

int streams_build(struct model *model);
void digests_check(struct model *model); /* of all streams */
int receipts_build(struct model *model);
int reports_build(struct model *model);

#endif
