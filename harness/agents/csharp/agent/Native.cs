using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Ipcmark.Agent;

/// <summary>The few things that the framework has no call for, or none that is fast enough.</summary>
internal static class Native
{
    private const int SIGKILL = 9;

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public nint Seconds, Nanoseconds;
    }

    /// <summary>No exit handler, no flushing, no unwinding: as if by somebody else's hand.</summary>
    public static void Die()
    {
        if (OperatingSystem.IsWindows())
            _ = Terminate(GetCurrentProcess(), SIGKILL + 128);
        else
            _ = Kill(Environment.ProcessId, SIGKILL);
        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>The first call of a foreign function takes long; where the moment matters it must not be the
    /// first.</summary>
    public static void PrepareToDie()
    {
        _ = Environment.ProcessId;
        if (!OperatingSystem.IsWindows())
            _ = Kill(Environment.ProcessId, 0);
        else
            _ = GetCurrentProcess();
    }

    public static void Exit(int code)
    {
        if (OperatingSystem.IsWindows())
            _ = Terminate(GetCurrentProcess(), (uint)code);
        else
            ExitNow(code);
    }

    /// <summary>Finer than Thread.Sleep, which counts milliseconds.</summary>
    public static void Sleep(long ns)
    {
        var time = new Timespec { Seconds = (nint)(ns / 1_000_000_000), Nanoseconds = (nint)(ns % 1_000_000_000) };
        if (OperatingSystem.IsWindows())
            Thread.Sleep((int)Math.Max(1, ns / 1_000_000));
        else
            _ = NanoSleep(ref time, 0);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "_exit")]
    private static extern void ExitNow(int code);

    [DllImport("libc", EntryPoint = "nanosleep")]
    private static extern int NanoSleep(ref Timespec time, nint rest);

    [DllImport("kernel32")]
    private static extern nint GetCurrentProcess();

    [DllImport("kernel32", EntryPoint = "TerminateProcess")]
    private static extern int Terminate(nint process, uint code);
}
