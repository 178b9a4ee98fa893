namespace Ipcmark.Agent;

/// <summary>SIGKILL of ourselves, so long after Set, by another thread.</summary>
internal sealed class Death
{
    private const long SpinNs = 200_000;

    private readonly long _after;
    private readonly object _order = new();
    private bool _given;

    private Death(long afterNs)
    {
        _after = afterNs;
        Native.PrepareToDie();
        Threads.Start("death", Shoot);
    }

    public static Death? Of(Request request) =>
        request.Has("kill_self_after_us") ? new Death(request.Number("kill_self_after_us") * 1000) : null;

    public void Set()
    {
        lock (_order)
        {
            _given = true;
            Monitor.PulseAll(_order);
        }
    }

    private void Shoot()
    {
        lock (_order)
        {
            while (!_given)
                Monitor.Wait(_order);
        }
        long end = Clock.Now + _after;
        if (_after > SpinNs)
            Native.Sleep(_after - SpinNs);
        while (Clock.Now < end)
            Thread.SpinWait(1);
        Native.Die();
    }

    /// <summary>A request that was to end in death never gets a reply.</summary>
    public static void Await() => Thread.Sleep(Timeout.Infinite);
}

/// <summary>SIGKILL between what is written down before a publish, and what became of it.</summary>
internal sealed class DeathAtPublish
{
    private const int SpreadNs = 4000;
    private const int LeadNs = 20_000; // until the other thread is surely looking

    private readonly string _moment;
    private readonly long _offset;
    private long _callBegins;

    public DeathAtPublish(string moment, ulong seed, int endpoint)
    {
        _moment = moment;
        _offset = new Random((int)(seed * 31 + (ulong)endpoint & int.MaxValue)).Next(-SpreadNs, SpreadNs + 1);
        Native.PrepareToDie();
    }

    public void BeforeCall()
    {
        if (_moment == "before")
            Native.Die();
        if (_moment != "inside")
            return;
        var ready = new ManualResetEventSlim(); // who shoots may still be in Set() when we are through
        Threads.Start("death", () => Shoot(ready));
        ready.Wait();
        Volatile.Write(ref _callBegins, Clock.Now + LeadNs);
        while (Clock.Now < _callBegins)
            Thread.SpinWait(1);
    }

    private void Shoot(ManualResetEventSlim ready)
    {
        ready.Set();
        long begins;
        while ((begins = Volatile.Read(ref _callBegins)) == 0 || Clock.Now < begins + _offset)
            Thread.SpinWait(1);
        Native.Die();
    }

    public void AfterCall()
    {
        if (_moment == "after")
            Native.Die();
        Death.Await(); // the outcome is not recorded
    }
}
