/* A writer that finds the ring full, or flushes: room.c, ring.h, and inlet_free_to() in receive.c. One pair. The reader may
 * stop reading at any step, as a program does that keeps a message, or be killed; the publisher's control thread then ends
 * the waiting. By default the reader sleeps, too, when there is nothing to read, so that the two could wait for each other;
 * with -DNEVER_SLEEPS it polls. With -DTHREADS=2 one thread publishes while another flushes: of those that wait one sleeps, for
 * the nearest of their targets. That only one is inside the gate is taken from gate.pml. To have fewer states, -DCALM leaves
 * out the killing, and a sleep that ends by itself.
 *
 * When nothing moves any more, nobody waits for what has been read, or for the dead, and all has been read if the reader
 * reads. No record is overwritten before it was read. There are no more wake-up calls than sleeps, and no more sleeps than
 * there are reasons. */
#ifndef THREADS
#define THREADS 1
#endif
#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#define CPUS (1 + THREADS)
#define DEPTH 2
#define NO_TARGET 255
#ifndef SLEEPS
#define SLEEPS 8 /* of the writers, at most */
#endif

#define COMMIT(position) ((position) % SLOTS)
#define BODY(position) (SLOTS + (position) % SLOTS)
#define TAIL (2 * SLOTS)
#define WAITING (2 * SLOTS + 1)
#define WANTED (2 * SLOTS + 2)
#define ASLEEP (2 * SLOTS + 3)
#define PLACES (2 * SLOTS + 4)
#include "store_buffers.pml"

/* The kernel's. A signal orders what comes before it before what comes after the waking. */
bit wake, room, given; /* given: by nudge_give() */

bit killed, dead, gone, stopped;
bit timed_out;          /* one sleep of a writer ends by itself */
byte position;          /* the reader's */
byte naps, wake_calls;
byte sleeps, room_calls; /* sleeps counts as naps does */
byte head, tail, roused; /* inside the gate */
byte sleepers;           /* of the nudge */
byte waits_for[CPUS];
#ifdef LOOK_LATER
byte released, due; /* the tail as it was stored last; what it was when the sleep was announced */
#define note_released() released = position
#define note_due() due = released
#define has_settled (memory[TAIL] >= due)
#else
#define note_released()
#define note_due()
#endif

inline nudge_give() { d_step { given = given | (sleepers > 0) } }

/* The reader. */

inline inlet_free_to()
{
    atomic { store_release(TAIL, position); note_released() }; /* R2 ring_release */
#ifdef FENCE
    fence_full();
#else
    fence_light();
#endif
    load(waiting, WAITING); /* A4 inlet_free_to */
    if
#ifdef ROUSE_AGAIN
    :: waiting % 2 == 1 ->
#else
    :: waiting % 2 == 1 && waiting != ended ->
#endif
        load(wanted, WANTED);
        if
        :: position >= wanted ->
            d_step { ended = waiting; room_calls++; assert(room_calls <= (sleeps + 1) / 2) };
            atomic { is_drained(me) -> room = 1 }
        :: else
        fi
    :: else
    fi;
    d_step { waiting = 0; wanted = 0 }
}

inline inlet_ready()
{
    load(found, COMMIT(position)); /* A1 ring_ready */
    found = found == position + 1
}

inline read_body()
{
    load(found, BODY(position));
    d_step { assert(found == position + 1); found = 0 }
}

inline wait_for_more()
{
#ifdef NEVER_SLEEPS
    found = 0;
end_polls:
    memory[COMMIT(position)] == position + 1
#else
    naps++;
    store_release(ASLEEP, naps); /* R3 receive_announce */
#ifndef FENCE
    barrier(step);
#endif
    fence_full();
    inlet_ready();
    if
    :: !found ->
end_asleep:
        d_step { wake -> wake = 0 }
    :: else
    fi;
    naps++;
    store_relaxed(ASLEEP, naps)
#endif
}

proctype reader(byte me)
{
    byte found, step, waiting, wanted, ended;
    {
        do
        :: inlet_ready();
            if
            :: found ->
#ifdef FREE_EARLY
                position++;
                inlet_free_to();
                position--;
#endif
                read_body();
                position++;
                inlet_ready(); /* freeing is told in batches, the last always */
                if
                :: inlet_free_to()
                :: found
                fi
            :: else -> wait_for_more()
            fi;
            found = 0
        :: stopped = 1; break
        od;
end_alive:
        killed
    } unless { killed };
    atomic { is_drained(me) -> dead = 1 }
}

proctype fate()
{
    if
    :: killed = 1
    :: skip
    fi
}

/* The publisher's control thread; it only stores and signals, so it needs no buffer. */
proctype control()
{
end_idle:
    dead;
    gone = 1;
    nudge_give()
}

/* The publisher. */

inline is_over(target) /* into over */
{
    load(over, TAIL);
    over = over >= target || gone
}

inline sleep_once(until, target)
{
#if defined(ASKS_EARLY) || THREADS == 1
    d_step { !given -> sleepers++ };
#else
    d_step { !given -> sleepers++; until = nearest };
#endif
    store_relaxed(WANTED, until);
    d_step { sleeps++; assert(sleeps < 2 * SLEEPS) };
    store_release(WAITING, sleeps); /* R4 sleep_once */
#if !defined(FENCE) && !defined(NO_BARRIER)
    barrier(step);
#endif
#ifndef NO_FENCE
    fence_full();
#endif
    note_due();
#ifdef NO_LOOK
    over = 0;
#else
    is_over(until);
    if
    :: !over -> is_over(target)
    :: else
    fi;
#endif
    if
    :: !over ->
end_waits:
        if
        :: room || given
        :: !timed_out -> timed_out = 1
#ifdef LOOK_LATER
        :: has_settled ->
            is_over(until);
            if
            :: !over -> is_over(target)
            :: else
            fi;
            if
            :: !over ->
end_waits_again:
                if
                :: room || given
                :: !timed_out -> timed_out = 1
                fi
            :: else
            fi
#endif
        fi
    :: else
    fi;
    d_step { sleepers--; given = given & (sleepers > 0) };
    sleeps++;
    store_release(WAITING, sleeps);
    room = 0
}

#if THREADS == 1
inline gate_enter() { skip }
inline gate_leave() { skip }
inline wait_in_turn(target)
{
    do
    :: is_over(target);
        if
        :: over -> break
        :: else -> sleep_once(target, target)
        fi
    od
}
#else
bit gate, has_sleeper, woken[CPUS];
byte nearest = NO_TARGET;
inline gate_enter() { atomic { !gate -> gate = 1 } }
inline gate_leave() { atomic { is_drained(me) -> gate = 0 } }

/* What happens under wait_lock is one step. */
inline wait_in_turn(target)
{
    do
    :: atomic {
        skip;
        is_over(target);
        if
        :: over -> break
        :: !over && target < nearest ->
            nearest = target;
            if
            :: has_sleeper -> nudge_give()
            :: else
            fi
        :: else
        fi;
        sleeper = !has_sleeper;
        has_sleeper = 1;
        woken[me] = 0;
        until = nearest
       };
        if
        :: !sleeper ->
end_waits_in_turn:
            woken[me]
        :: else ->
            sleep_once(until, target);
            atomic {
                is_drained(me); /* wait_lock is released after what was stored */
                has_sleeper = 0;
#ifdef FORGETS
                over = 1;
#else
                is_over(nearest);
#endif
                if
                :: over -> nearest = NO_TARGET
                :: else
                fi;
                woken[1] = 1;
                woken[2] = 1
            }
        fi
    od;
    over = 0;
    until = 0;
    sleeper = 0
}
#endif

inline wait_outside(target)
{
    gate_leave();
    waits_for[me] = target;
    wait_in_turn(waits_for[me]);
    waits_for[me] = 0;
    gate_enter()
}

inline publish()
{
    do
    :: gone || head - tail + 1 <= SLOTS -> break
    :: else ->
        load(tail, TAIL); /* A2 ring_look */
        if
        :: head - tail + 1 > SLOTS -> wait_outside(head + 1 - SLOTS)
        :: else
        fi
    od;
    store_relaxed(BODY(head), head + 1);
#ifdef COMMIT_RELAXED
    store_relaxed(COMMIT(head), head + 1);
#else
    store_release(COMMIT(head), head + 1); /* R1 ring_commit */
#endif
    head++;
#ifndef NEVER_SLEEPS
#ifdef FENCE
    fence_full();
#else
    fence_light();
#endif
    load(asleep, ASLEEP); /* A3 sleep_of */
    if
    :: asleep % 2 == 1 && asleep != roused ->
        d_step { roused = asleep; wake_calls++; assert(wake_calls <= (naps + 1) / 2) };
        atomic { is_drained(me) -> wake = 1 }
    :: else
    fi;
    asleep = 0
#endif
}

inline flush()
{
    is_over(head);
    if
    :: !over -> wait_outside(head)
    :: else
    fi
}

proctype publisher(byte me)
{
    byte step, over, asleep, until;
    bit sleeper;
    do
    :: head < MESSAGES -> gate_enter(); publish(); gate_leave()
    :: else -> break
    od;
#if THREADS == 1
    flush()
#endif
}

#if THREADS > 1
proctype flusher(byte me)
{
    byte step, over, until;
    bit sleeper;
    gate_enter();
    flush();
    gate_leave()
}
#endif

init
{
    atomic {
#if THREADS > 1
        for (head : 0 .. SLOTS - 1) { /* it is full already */
            memory[BODY(head)] = head + 1;
            memory[COMMIT(head)] = head + 1
        }
        run flusher(2);
        run processor(2);
#endif
#ifdef CALM
        timed_out = 1;
#else
        run fate();
        run control();
#endif
        run reader(0);
        run publisher(1);
        run processor(0);
        run processor(1)
    };
    timeout -> /* nobody can move */
    assert(waits_for[1] == 0 || waits_for[1] > memory[TAIL] && !gone);
    assert(waits_for[CPUS - 1] == 0 || waits_for[CPUS - 1] > memory[TAIL] && !gone);
    assert(killed || stopped || position == head)
}
