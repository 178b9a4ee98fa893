/* The plays of ENV that are elsewhere than its table. */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

#include "stage.h"

/* What can be wrong with the directory. */
bool directories_play_missing(stage *);
bool directories_play_read_only(stage *);
bool directories_play_removed(stage *);
bool directories_play_long_paths(stage *);

/* What can run out. */
bool room_play_directory_full(stage *);
bool room_play_shared_memory_full(stage *);
bool limits_play_descriptors(stage *);
bool limits_play_memory(stage *);

#endif
