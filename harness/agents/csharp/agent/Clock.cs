using System.Diagnostics;
using System.Globalization;

namespace Ipcmark.Agent;

/// <summary>CLOCK_MONOTONIC in nanoseconds: on Linux what Stopwatch reads. Wine's counter is CLOCK_MONOTONIC_RAW, so
/// that who starts us there says how far the two are apart.</summary>
public static class Clock
{
    private const string OffsetVariable = "IPCMARK_CLOCK_OFFSET_NS";

    private static readonly long Offset = long.TryParse(Environment.GetEnvironmentVariable(OffsetVariable),
        CultureInfo.InvariantCulture, out long offset) ? offset : 0;

    private static readonly long NsPerTick = 1_000_000_000 / Stopwatch.Frequency; // 1, and 100 under Windows

    public static long Now => Stopwatch.GetTimestamp() * NsPerTick + Offset;
}
