/* Memory as processors show it to each other. spin itself interleaves whole statements, as if a store were seen by all at
 * once; so each processor gets a buffer of stores that only it sees yet, and a process that lands them at any later time.
 *
 *   store           into the buffer                      load       the newest of one's own, else memory
 *   fence_full      waits until one's buffer is empty    fence_light  nothing: spin keeps the order of statements
 *   os_barrier_*    empties the buffers of all processors, one after the other, at any times in between
 *
 * By default stores land in order, as on x86 (TSO). With -DWEAK they land in any order but for those to the same place;
 * only a release store waits for all that were made before it. Loads are never made early, and read-modify-write acts
 * on memory at once: what else ARM and POWER may do is not here.
 *
 * The model that includes this defines CPUS, PLACES, DEPTH, and me, the processor of the process. */
typedef stores {
    byte count;
    byte at[DEPTH];
    byte value[DEPTH];
    bit release[DEPTH];
}
byte memory[PLACES];
stores buffer[CPUS];
hidden byte slot;

#ifndef ON_ACCESS
#define ON_ACCESS skip
#endif

inline load(into, place)
{
    d_step {
        ON_ACCESS;
        slot = buffer[me].count;
        do
        :: slot > 0 && buffer[me].at[slot - 1] != (place) -> slot--
        :: else -> break
        od;
        if
        :: slot > 0 -> into = buffer[me].value[slot - 1]
        :: else -> into = memory[place]
        fi;
        slot = 0
    }
}

inline put(place, what, is_release)
{
    d_step {
        buffer[me].count < DEPTH ->
        ON_ACCESS;
        buffer[me].at[buffer[me].count] = place;
        buffer[me].value[buffer[me].count] = what;
        buffer[me].release[buffer[me].count] = is_release;
        buffer[me].count++
    }
}
#define store_relaxed(place, what) put(place, what, 0)
#define store_release(place, what) put(place, what, 1)

/* Inside d_step. */
inline land(cpu, which)
{
    ON_ACCESS;
    memory[buffer[cpu].at[which]] = buffer[cpu].value[which];
    slot = which;
    do
    :: slot + 1 < buffer[cpu].count ->
        buffer[cpu].at[slot] = buffer[cpu].at[slot + 1];
        buffer[cpu].value[slot] = buffer[cpu].value[slot + 1];
        buffer[cpu].release[slot] = buffer[cpu].release[slot + 1];
        slot++
    :: else -> break
    od;
    buffer[cpu].count--;
    buffer[cpu].at[slot] = 0;
    buffer[cpu].value[slot] = 0;
    buffer[cpu].release[slot] = 0;
    slot = 0
}

#define differs(cpu, first, second) (buffer[cpu].at[first] != buffer[cpu].at[second])
#define overtakes(cpu, which) (buffer[cpu].count > which && !buffer[cpu].release[which])

proctype processor(byte cpu)
{
end_empty:
    do
    :: d_step { buffer[cpu].count > 0 -> land(cpu, 0) }
#ifdef WEAK
    :: d_step { overtakes(cpu, 1) && differs(cpu, 1, 0) -> land(cpu, 1) }
#if DEPTH > 2
    :: d_step { overtakes(cpu, 2) && differs(cpu, 2, 0) && differs(cpu, 2, 1) -> land(cpu, 2) }
#endif
#endif
    od
}

#define is_drained(cpu) (buffer[cpu].count == 0)
#define fence_full() is_drained(me)
#define fence_light() skip

/* step: a variable of the process, for the processors are reached one by one, and the caller's own before them. */
inline barrier(step)
{
    fence_full();
    step = 0;
    do
    :: d_step {
        step < CPUS ->
        do
        :: buffer[step].count > 0 -> land(step, 0)
        :: else -> break
        od;
        step++
       }
    :: else -> break
    od;
    step = 0
}
