/* A reader that finds nothing to read: receive.c, and sleep_of() in publish.c. A subscriber and one publisher. The subscriber's
 * control thread hands the pair over at any time, and tells of the hang-up; the publisher stops publishing for good, or is
 * killed, at any step. By default a data thread reads (deliver.c); with -DPULL the program does, with calls of receive that
 * wait and with a descriptor that it polls (pull.c). With -DLOOK_LATER whoever sleeps looks once more, after what was
 * committed before the announcement has landed: store buffers empty themselves.
 *
 * When nothing moves any more, all that was committed has been taken, and a dead publisher has been let go of. There are no
 * more wake-up calls than sleeps. */
#ifndef MESSAGES
#define MESSAGES 2 /* at most */
#endif
#define CPUS 2 /* reader, publisher */
#define DEPTH 2

#define COMMIT(number) (number)
#define ASLEEP (MESSAGES)
#define ATTENTION (MESSAGES + 1)
#define HUNG_UP (MESSAGES + 2)
#define PLACES (MESSAGES + 3)
#include "store_buffers.pml"

/* The kernel's. A signal orders what comes before it before what comes after the waking. */
bit wake, attention, ready;
inline signal(what) { atomic { is_drained(me) -> what = 1 } }

bit added, adopted, drained;  /* the inlet, as the subscriber's threads pass it on */
bit killed, dead;             /* fate of the publisher; and its socket has hung up */
byte position, committed;     /* of messages */
byte naps, calls;
bit announced;
#ifdef LOOK_LATER
byte due; /* what was committed when the sleep was announced */
#define note_due() due = committed
#define has_settled (due == 0 || memory[COMMIT(due - 1)])
#else
#define note_due()
#endif

/* The publisher. */

inline publish(number)
{
    atomic { store_release(COMMIT(number), 1); committed++ }; /* R1 ring_commit */
#ifdef FENCE
    fence_full();
#else
    fence_light();
#endif
    load(asleep, ASLEEP); /* A3 sleep_of */
    if
#ifdef ROUSE_AGAIN
    :: asleep % 2 == 1 ->
#else
    :: asleep % 2 == 1 && asleep != roused ->
#endif
        d_step { roused = asleep; calls++; assert(calls <= (naps + 1) / 2) };
        signal(wake)
    :: else
    fi
}

proctype publisher(byte me)
{
    byte asleep, roused, number;
    {
        do
        :: number < MESSAGES -> publish(number); d_step { asleep = 0; number++ }
        :: break
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

/* The subscriber's control thread. It stores and then signals, so it needs no buffer: to be late is the same. */

inline receive_look_up()
{
#ifdef SIGNAL_FIRST
    attention = 1;
    memory[ATTENTION] = 1
#else
    memory[ATTENTION] = 1; /* R9 receive_look_up */
    attention = 1
#endif
}

proctype control()
{
    added = 1;
    receive_look_up();
end_idle:
    dead;
    memory[HUNG_UP] = 1; /* R5 dropped */
    receive_look_up()
}

/* The receiving side. */

inline inlet_ready()
{
    if
    :: adopted && position < MESSAGES -> load(found, COMMIT(position)) /* A1 ring_ready */
    :: else -> found = 0
    fi
}

inline take()
{
    inlet_ready();
    if
    :: found -> d_step { position++; taken = 1; found = 0 }
    :: else
    fi
}

inline give_back_if_drained()
{
    load(found, HUNG_UP); /* A5 give_back_if_drained */
    if
    :: found && adopted ->
        inlet_ready();
        if
#ifndef DROP_UNREAD
        :: found -> store_relaxed(ATTENTION, 1)
#endif
        :: else -> d_step { adopted = 0; drained = 1 }
        fi
    :: else
    fi
}

inline receive_adopt()
{
    load(found, ATTENTION);
    if
    :: found ->
        atomic { is_drained(me) -> memory[ATTENTION] = 0 }; /* A9 receive_adopt */
        if
        :: added -> d_step { added = 0; adopted = 1 }; store_relaxed(ASLEEP, naps)
        :: else
        fi;
        give_back_if_drained()
    :: else
    fi;
    found = 0
}

inline receive_any_ready()
{
    inlet_ready();
    if
    :: !found -> load(found, ATTENTION)
    :: else
    fi
}

inline receive_announce()
{
    d_step { naps = naps + 1 + announced; announced = 1 };
    if
    :: adopted -> store_release(ASLEEP, naps) /* R3 receive_announce */
    :: else
    fi;
#if !defined(FENCE) && !defined(NO_BARRIER)
    barrier(step);
#endif
#ifndef NO_FENCE
    fence_full();
#endif
    note_due()
}

#ifndef PULL
inline receive_awake()
{
    d_step { naps = naps + announced; announced = 0 };
    if
    :: adopted -> store_relaxed(ASLEEP, naps)
    :: else
    fi
}

inline wait_for_more()
{
#ifdef LOOK_FIRST
    receive_any_ready();
    receive_announce();
#else
    receive_announce();
    receive_any_ready();
#endif
    if
#ifdef NO_LOOK
    :: true ->
#else
    :: !found ->
#endif
end_asleep:
        if
        :: d_step { wake || attention -> wake = 0; attention = 0 } /* edge-triggered; one waking for both */
#ifdef LOOK_LATER
        :: has_settled ->
            receive_any_ready();
            if
            :: !found ->
end_asleep_again:
                d_step { wake || attention -> wake = 0; attention = 0 }
            :: else
            fi
#endif
        fi
    :: else
    fi;
    found = 0;
    receive_awake()
}

proctype reader(byte me)
{
    byte found, step;
    bit taken;
    do
    :: receive_adopt();
        do
        :: take();
            if
            :: taken -> taken = 0
            :: else -> break
            fi
        od;
        wait_for_more()
    od
}
#else
bit ready_raised;
#define readable (wake && adopted || attention || ready)

inline clear_wake_ups()
{
    attention = 0;
    if
    :: adopted -> wake = 0
    :: else
    fi;
    d_step { ready = 0; ready_raised = 0 }
}

inline arm_descriptor()
{
    receive_any_ready();
    if
    :: ready_raised && found
    :: else ->
        if
#ifdef ARMED_ONCE
        :: !announced ->
#else
        :: !announced || !found ->
#endif
#ifdef CLEAR_LATE
            receive_announce();
            clear_wake_ups()
#else
            clear_wake_ups();
            receive_announce()
#endif
        :: else
        fi;
        receive_any_ready();
        if
        :: found -> d_step { ready = 1; ready_raised = 1 }
        :: else
        fi
    fi;
    found = 0
}

inline wait_for_one()
{
    clear_wake_ups();
    receive_announce();
    receive_any_ready();
    if
    :: !found ->
end_asleep:
        if
        :: readable
#ifdef LOOK_LATER
        :: has_settled ->
            receive_any_ready();
            if
            :: !found ->
end_asleep_again:
                readable
            :: else
            fi
#endif
        fi
    :: else
    fi;
    found = 0
}

/* Each time it either waits inside receive, or polls the descriptor and then calls receive without waiting. */
proctype reader(byte me)
{
    byte found, step;
    bit taken, waits;
    receive_adopt();
    arm_descriptor();
    do
    :: if
        :: waits = 1
        :: waits = 0;
end_polls:
            if
            :: readable
#ifdef LOOK_LATER
            :: has_settled -> /* the control thread does: pull_settled() */
                receive_any_ready();
                if
                :: found -> d_step { ready = 1; ready_raised = 1; found = 0 }
                :: else
                fi;
end_polls_again:
                readable
#endif
            fi
        fi;
        do
        :: receive_adopt();
            take();
            if
            :: taken || !waits -> break
            :: else -> wait_for_one()
            fi
        od;
        taken = 0;
        arm_descriptor()
    od
}
#endif

init
{
    atomic {
        run reader(0);
        run publisher(1);
        run control();
        run fate();
        run processor(0);
        run processor(1)
    };
    timeout -> /* nobody can move */
    assert(position == committed);
    assert(drained == dead)
}
