#include "mutant.h"

static int cut(mutant_endpoint *endpoint, const ipcmark_part *parts, size_t count)
{
    return mutant_publish(endpoint, parts, count > UINT8_MAX ? UINT8_MAX : count);
}

MUTANT(.name = "cut_parts", .fault = "the number of parts is held in 8 bits: those behind the 255th are lost",
       .class_name = "corrupt", .must_fail = "DEL-015", .may_fail = "", .needs = IPCMARK_CAP_MULTIPART, .publish = cut)
