namespace Ipcmark.Agent;

internal sealed class SubscriberEndpoint : Endpoint
{
    private const ushort ReplyThread = 64;

    private readonly Dictionary<(ushort Publisher, ushort Epoch, ushort Thread), ulong> _highest = [];
    private long _received, _bytes;
    private volatile bool _waitedFor;

    private sealed record Handling(long DelayNs, PublisherEndpoint? Reply);

    private volatile Handling _handling = new(0, null);
    private long _closeAfter;

    public SubscriberEndpoint(Session session, Request request)
        : base(session, request) => Open(request, options => session.PubSub.OpenSubscriber(options, Deliver));

    public long Received => Interlocked.Read(ref _received);

    public long Bytes => Interlocked.Read(ref _bytes);

    public void Handle(long delayNs, PublisherEndpoint? reply, long closeAfter)
    {
        Interlocked.Exchange(ref _closeAfter, closeAfter);
        _handling = new Handling(delayNs, reply);
    }

    private void Deliver(byte[][] parts)
    {
        long now = Clock.Now;
        About about = Payload.Read(parts);
        Append(Kind.Received, about, now);
        Handling handling = _handling;
        if (handling.Reply is { Closing: false } reply)
            reply.Publish(reply.Maker(ReplyThread), (int)about.Size, parts.Length);
        Remember(about);
        if (handling.DelayNs > 0)
            Native.Sleep(handling.DelayNs); // a slow application: this is its work
        if (Interlocked.Read(ref _closeAfter) > 0 && Interlocked.Decrement(ref _closeAfter) == 0)
            Close();
    }

    private void Remember(in About about)
    {
        Interlocked.Add(ref _bytes, (long)about.Size);
        lock (_highest)
        {
            var stream = (about.Publisher, about.Epoch, about.Thread);
            if (!about.Unframed && about.Error == 0 && about.Sequence > _highest.GetValueOrDefault(stream))
                _highest[stream] = about.Sequence;
        }
        Interlocked.Increment(ref _received);
        if (!_waitedFor)
            return;
        lock (Changed)
            Monitor.PulseAll(Changed);
    }

    /// <summary>Waits for the messages of these names, or what came after them. Null, or the first that is
    /// missing.</summary>
    public (ushort, ushort, ushort, ulong)? WaitFor(List<(ushort, ushort, ushort, ulong)> wanted, long until)
    {
        _waitedFor = true; // before looking: what arrives after the look is told
        lock (Changed)
        {
            while (Missing(wanted) is { } missing)
            {
                long left = until - Clock.Now;
                if (left <= 0 || Closing)
                    return missing;
                Monitor.Wait(Changed, (int)Math.Min(left / 1_000_000 + 1, 1000));
            }
        }
        return null;
    }

    private (ushort, ushort, ushort, ulong)? Missing(List<(ushort, ushort, ushort, ulong)> wanted)
    {
        lock (_highest)
        {
            foreach ((ushort publisher, ushort epoch, ushort thread, ulong sequence) each in wanted)
            {
                if (_highest.GetValueOrDefault((each.publisher, each.epoch, each.thread)) < each.sequence)
                    return each;
            }
            return null;
        }
    }
}
