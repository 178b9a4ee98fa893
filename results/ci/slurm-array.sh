#!/bin/sh
# A run of the benchmark as a Slurm array, a node a shard, and then one job that merges them:
#
#   sh slurm-array.sh FOLDER [OPTION of ipcmark bench]…      FOLDER must be seen by all nodes
#
#   SHARDS=4                how many
#   SBATCH_CONSTRAINT=…     what sbatch reads itself: ask for one kind of node, or merge will refuse their shards
set -eu

case ${1-} in
"" | -*) echo "usage: sh slurm-array.sh FOLDER [OPTION of ipcmark bench]..." >&2 && exit 64 ;;
esac
folder=$1
shift

# Within the array: measure one shard.
if [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then
    exec ipcmark bench "$@" --shard "$SLURM_ARRAY_TASK_ID/$SHARDS" --output "$folder/shard-$SLURM_ARRAY_TASK_ID.jsonl"
fi

# Outside: hand in the array, then what waits for all of it.
mkdir -p "$folder"
SHARDS=${SHARDS-4}
SEED=${SEED-$(date +%s)}
export SHARDS
array=$(sbatch --parsable --exclusive --array="1-$SHARDS" --export=ALL --output="$folder/shard-%a.log" \
    "$0" "$folder" --seed "$SEED" "$@")
sbatch --parsable --dependency="afterok:${array%%;*}" --output="$folder/merge.log" \
    --wrap="ipcmark merge '$folder'/shard-*.jsonl --output '$folder/run.jsonl' && ipcmark report '$folder/run.jsonl' --output '$folder/report.html'"
