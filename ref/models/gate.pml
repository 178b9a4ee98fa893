/* The gate of a publisher: gate.h, gate.c. Two threads publish, the control thread changes the list of pairs, closes the
 * gate and frees it. Which thread deserves a bias is left open: each may get one whenever there is none.
 *
 * Never two inside; each sees what the one before it wrote; nobody waits for ever; nothing is touched once it is freed. */
#define PUBLISHERS 2
#define CPUS 3
#define DEPTH 3
#define BIASES 2
#ifndef ROUNDS
#define ROUNDS 2
#endif

#define CURRENT 0
#define DATA 1 /* what is changed inside: the rings, the list, gate.held */
#define OWNER(bias) (2 + (bias))
#define INSIDE(bias) (2 + BIASES + (bias))
#define REVOKED(bias) (2 + 2 * BIASES + (bias))
#define PLACES (2 + 3 * BIASES)

bit freed;
#define ON_ACCESS assert(!freed)
#include "store_buffers.pml"

bit lock;
byte callers, used;
byte truth;     /* what DATA ought to be */
byte inside;    /* how many are */
byte beginning; /* calls that have not yet made their first mark on the gate; close is not called then */
bit closing;

inline revoke(bias)
{
    store_relaxed(REVOKED(bias), 1);
#ifndef NO_BARRIER
    barrier(step);
#endif
#ifndef NO_WAIT
    d_step { memory[INSIDE(bias)] == 0 -> ON_ACCESS } /* A8 revoke */
#endif
}

inline consider_bias()
{
#ifdef REUSE
    if
    :: used = 1; store_relaxed(REVOKED(0), 0); store_relaxed(OWNER(0), me + 1)
    :: skip
    fi
#else
    if
    :: used < BIASES ->
        store_relaxed(OWNER(used), me + 1);
        store_relaxed(CURRENT, used);
        used++
    :: skip
    fi
#endif
}

inline gate_enter_locked(publishing, begins)
{
    d_step { ON_ACCESS; callers++; beginning = beginning - begins };
    d_step { !lock -> ON_ACCESS; lock = 1 };
    load(bias, CURRENT);
    load(owner, OWNER(bias));
    if
    :: owner != 0 && owner != me + 1 ->
        revoke(bias);
        if
        :: publishing -> store_relaxed(OWNER(bias), 0); owner = 0
        :: else
        fi
    :: else
    fi;
    if
    :: publishing && owner == 0 -> consider_bias()
    :: else
    fi;
    by_bias = 0
}

inline gate_leave_locked()
{
    load(bias, CURRENT);
    load(owner, OWNER(bias));
    if
#ifdef LOWER_ALWAYS
    :: true ->
#else
    :: owner != 0 ->
#endif
#ifdef LOWER_RELAXED
        store_relaxed(REVOKED(bias), 0)
#else
        store_release(REVOKED(bias), 0) /* R7 gate_leave_locked */
#endif
    :: else
    fi;
    d_step { is_drained(me) -> ON_ACCESS; lock = 0 }; /* the next one may have it now … */
    d_step { ON_ACCESS; skip };                       /* … but unlock is not yet done with the mutex */
    d_step { is_drained(me) -> ON_ACCESS; callers-- } /* R10 gate_leave_locked */
}

inline gate_enter_instead()
{
#ifndef UNCOUNTED
    d_step { ON_ACCESS; callers++ };
#endif
    store_release(INSIDE(bias), 0);
    gate_enter_locked(1, 0)
#ifndef UNCOUNTED
    ;
    d_step { ON_ACCESS; callers-- }
#endif
}

inline gate_enter()
{
    load(bias, CURRENT);
    load(owner, OWNER(bias));
    if
    :: owner == me + 1 ->
#ifdef LOOK_FIRST
        load(revoked, REVOKED(bias));
#endif
        atomic { store_relaxed(INSIDE(bias), 1); beginning-- };
        fence_light();
#ifndef LOOK_FIRST
        load(revoked, REVOKED(bias)); /* A7 gate_try */
#endif
        if
        :: revoked -> gate_enter_instead()
        :: else -> by_bias = 1
        fi
    :: else -> gate_enter_locked(1, 1)
    fi
}

inline gate_leave()
{
    if
    :: by_bias ->
#ifdef LEAVE_RELAXED
        store_relaxed(INSIDE(bias), 0)
#else
        store_release(INSIDE(bias), 0) /* R8 gate_leave_by */
#endif
    :: else -> gate_leave_locked()
    fi
}

inline be_inside()
{
    d_step { inside++; assert(inside == 1) };
    load(seen, DATA);
    d_step { assert(seen == truth); truth = 1 - truth };
    store_relaxed(DATA, 1 - seen);
    d_step { inside--; seen = 0 }
}

proctype publisher(byte me)
{
    byte bias, owner, step, seen, rounds;
    bit revoked, by_bias;
    do
    :: atomic { rounds < ROUNDS && !closing -> rounds++; beginning++ };
        gate_enter();
        be_inside();
        gate_leave();
        d_step { bias = 0; owner = 0; revoked = 0; by_bias = 0 }
    :: break
    od
}

inline gate_close()
{
#ifdef CLOSE_CURRENT_ONLY
    gate_enter_locked(0, 0);
    gate_leave_locked();
#else
    d_step { !lock -> lock = 1 };
    for (bias : 1 .. used) {
        revoke(bias - 1)
    }
    atomic { is_drained(me) -> lock = 0 };
#endif
#ifndef NO_COUNT
    callers == 0; /* A10 gate_close */
#endif
    freed = 1
}

proctype control(byte me)
{
    byte bias, owner, step, seen;
    bit by_bias;
    gate_enter_locked(0, 0);
    be_inside();
    gate_leave_locked();
#ifndef STAYS_OPEN
    atomic { beginning == 0 -> closing = 1 };
    gate_close()
#endif
}

init
{
    byte cpu;
    atomic {
        run publisher(0);
        run publisher(1);
        run control(PUBLISHERS);
        for (cpu : 0 .. CPUS - 1) {
            run processor(cpu)
        }
    }
}
