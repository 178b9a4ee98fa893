/* The machine's own limit: a cache line that goes back and forth between two CPUs. Nothing that hands a message from
 * one process to another can be faster than one way of it, and on a virtual machine it changes from one moment to the
 * next with the cores that the hypervisor picked. It is therefore measured just before and just after each cell. */
#ifndef BENCH_LINE_H
#define BENCH_LINE_H

/* Below these, one way in nanoseconds, two CPUs share a core, or a last-level cache; above, neither. Seen were 32 to
 * 33 ns, 39 to 54 without a gap, and 157 and more: the thresholds stand between them. */
#define LINE_SIBLINGS_NS 36.0
#define LINE_CLUSTER_NS  120.0

enum { LINE_BATCHES = 301 }; /* of which the figure is the median */

/* Measures one way of a cache line between two CPUs, in nanoseconds: the median over many short batches of half a round
 * trip, within a few milliseconds. The caller and a thread of this call spin meanwhile, pinned; the caller's own
 * affinity is as before on return. Errors: -EINVAL (the same CPU twice, or one that this process may not use), -ETIME
 * (a CPU was not given to us for so long that there is no figure), -EAGAIN (no thread). */
int line_measure(int cpu_a, int cpu_b, double *one_way_ns);

enum { LINE_CLASSES = 3 };
extern const char *const line_classes[LINE_CLASSES]; /* "siblings", "cluster", "distant" */

/* One of them. */
const char *line_class(double one_way_ns);

/* The class of a cell by the line before and after it: "mixed" where the two differ, NULL where one is unknown (< 0).
 */
const char *line_placement(double before_ns, double after_ns);

#endif
