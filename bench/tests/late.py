"""late.py FOLDER: the agent there, and figures for benchmarks, of somebody who is asked late. When the time was over a
subscriber had received 1000 messages of 3000 bytes; now, ten times as many."""

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import agent

looks = 0


def stats(request):
    global looks
    looks += 1
    now = 0 if looks == 1 else 10000
    then = 1000 if request["to_ns"] else now
    if isinstance(agent.endpoint_of(request), agent.Publisher):
        return {"attempted": now, "published": now, "failed": 0, "unknown": 0, "last": []}
    nothing = {"unit": "ns", "significant_digits": 3, "counts": []}
    return {"received": now, "bytes": 3000 * now, "lost": 0, "torn": 0, "duplicate": 0, "reordered": 0,
            "window": {"messages": then, "bytes": 3000 * then}, "histogram": nothing, "histogram_uncorrected": nothing}


agent.OPERATIONS["stats"] = stats
agent.main()
