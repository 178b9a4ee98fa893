#include "options.h"

#include <stdio.h>

/* A paragraph each: compilers need not take longer strings. */
static const char *const paragraphs[] = {
    "Usage: ipcmark conformance --driver DRIVER [--driver DRIVER …] [OPTION …]\n"
    "       ipcmark conformance --agent COMMAND [OPTION …]\n"
    "       ipcmark conformance --mutants [OPTION …]\n"
    "\n",
    "Tells whether a publish/subscribe implementation keeps the promises of the contract (conformance/CONTRACT.md).\n"
    "Each clause is played with real processes, which are killed and stopped on the way; the verdict comes from what\n"
    "each of them wrote down, never from what the implementation says of itself.\n"
    "\n",
    "What is tested\n"
    "  --driver DRIVER    NAME, NAME?key=value&key=value, or the path of a driver's shared object; may be repeated\n"
    "  --agent COMMAND    a program in any language that speaks harness/PROTOCOL.md; may be repeated\n"
    "                     What cannot be started, or breaks the protocol, has an error for each clause; the others\n"
    "                     go on\n"
    "  --clause GLOB      only these clauses (DEL-001, 'KILL-*'); may be repeated\n"
    "  --quick            shorter: for a first look, and for every commit\n"
    "  --thorough         ten times as much of everything, and what takes long or much memory\n"
    "  --repeat N         N rounds of everything, each with a seed of its own\n"
    "  --seed N           of sizes, moments and victims of the faults; the same seed replays the same schedule\n"
    "  --wrap COMMAND     start participants under a tool: --wrap 'valgrind -q'\n"
    "\n",
    "What comes out\n"
    "  --format FORMAT    on standard output: table (default), markdown, jsonl (results/FORMAT.md) or tap (version "
    "14)\n"
    "  --output FILE      the records of results/FORMAT.md, each as soon as its case has ended\n"
    "  --resume           go on with the --output FILE of a run that was cut off, or has fewer rounds than --repeat\n"
    "                     asks for: the same commit, contract, drivers, clauses and effort. Verdicts, counts and the\n"
    "                     exit code are of all rounds, those of earlier calls included\n"
    "  --junit FILE       JUnit XML, for CI services\n"
    "  --badge FILE.svg   a badge of one implementation, and FILE.json for shields.io's endpoint badge\n"
    "  --keep DIR         where the evidence of failures goes (default ./ipcmark-results/evidence);\n"
    "                     `ipcmark check` judges it again\n"
    "  --keep-passed      keep the evidence of what passed, too\n"
    "  --details          print everything known about a failure, and not only its beginning\n"
    "  --list, --list-json    the clauses that --clause names, or all: level, needs, usual seconds\n"
    "\n",
    "What counts\n"
    "  --level LEVEL      should (default): a clause that fails counts, whatever its level; must: failing SHOULD\n"
    "                     clauses are shown and do not count for the exit code\n"
    "  --expect FILE      known failures: lines of `CLAUSE DRIVER KIND REASON SOURCE`. xfail CLASS: it fails in this\n"
    "                     class; that it passes, or fails in another, fails the run. intermittent CLASS: it may pass,\n"
    "                     and fail in this class, but in no other. flaky K/N: K failures in N rounds of --repeat are\n"
    "                     excused, and none in fewer than N/K rounds; at most two a driver. Clause and driver may be\n"
    "                     globs, and the first line that matches counts\n"
    "  --accept-baseline FILE    writes the verdicts of this run; those of other clauses and drivers stay\n"
    "  --baseline FILE    compares with such verdicts: only what newly fails, or fails in another class, counts\n"
    "\n",
    "Testing the test\n"
    "  --mutants          run drivers that are wrong on purpose: each must be caught by each of its own clauses, and\n"
    "                     in its own way. Always quick; only its own clauses, unless --clause names others; unknown\n"
    "                     is asked for again, and the table says how often. Prints a table; with --output FILE each\n"
    "                     cell is recorded, and --resume goes on\n"
    "  --mutant GLOB      only these mutants; may be repeated\n"
    "  --base NAME        the right driver that they are made of (default mmipc); a few have one of their own\n"
    "  --list-mutants     their names, and nothing else\n"
    "\n",
    "  --ctest            for CTest: exit with 77 if all was skipped\n"
    "  --ctest-unknown    likewise, and if what was not is unknown: where a sanitizer slows all down, whose reports\n"
    "                     are what it is run for\n"
    "  --help, --version\n"
    "\n",
    "Environment\n"
    "  IPCMARK_DEADLINE   seconds that an answer may take (default 10; with --mutants 4); stretched on a\n"
    "                     slow machine, by what is measured before each case and sampled all through it\n"
    "  TMPDIR             where a case's files are while it runs (default /dev/shm, or /tmp where that is small)\n"
    "  IPCMARK_EXEC_PATH  the folder of ipcmark-agent and ipcmark-guard, if it is not found\n"
    "\n"
    "Ctrl-C ends it, and so may anything else: what was recorded stays, and --resume goes on with it.\n"
    "\n",
    "Exit codes: 0 every clause holds that counts; 1 one fails, or an xfail does not; 2 something is\n"
    "unknown (the case did not exercise enough to tell, or was not finished), or nothing was judged, as all was\n"
    "skipped; 3 the harness failed, or an implementation could not be started or broke the protocol; 64 wrong usage;\n"
    "128 + N: ended by signal N. 3 goes before 1 before 2.\n"
    "\n",
    "Examples\n"
    "  ipcmark conformance --driver mmipc --driver tcp\n"
    "  ipcmark conformance --driver ./build/mine.so --clause 'KILL-*' --repeat 20\n"
    "  ipcmark conformance --driver ./build/mine.so --repeat 20 --output night.jsonl --resume     after a break\n"
    "  ipcmark conformance --agent 'python3 my_agent.py' --quick --junit junit.xml --baseline verdicts.json\n"
    "  ipcmark conformance --driver mmipc --clause KILL-002 --seed 4711 --wrap 'valgrind -q' --keep-passed\n"};

void options_print_help(void)
{
    for (size_t i = 0; i < sizeof paragraphs / sizeof paragraphs[0]; ++i)
        fputs(paragraphs[i], stdout);
}
