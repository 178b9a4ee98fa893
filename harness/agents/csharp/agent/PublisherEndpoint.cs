namespace Ipcmark.Agent;

internal sealed class PublisherEndpoint : Endpoint
{
    private readonly SortedDictionary<ushort, Maker> _makers = [];
    private IPublisher? _publisher;

    public PublisherEndpoint(Session session, Request request)
        : base(session, request) => Open(request, options => _publisher = session.PubSub.OpenPublisher(options));

    public Maker Maker(ushort thread)
    {
        lock (_makers)
        {
            if (!_makers.TryGetValue(thread, out Maker? maker))
                _makers[thread] = maker = new Maker(Session.Run, Channel, Number, Epoch, thread, Session.Seed);
            return maker;
        }
    }

    public Maker[] Makers
    {
        get
        {
            lock (_makers)
                return [.. _makers.Values];
        }
    }

    /// <summary>One message, with its record before and after. Returns what went wrong: an errno, or 0.</summary>
    public int Publish(Maker maker, int size, int parts, long due = 0, bool overwrite = false,
        DeathAtPublish? death = null)
    {
        byte[][] message = maker.Make(size, parts, due, out About about);
        Append(Kind.Invoke, about);
        death?.BeforeCall();
        int error = 0;
        try
        {
            _publisher!.Publish(message);
        }
        catch (Exception problem) when (problem is PubSubException or IOException or OutOfMemoryException)
        {
            error = Errno.Of(problem);
        }
        death?.AfterCall();
        Kind outcome = error == 0 ? Kind.Ok : Errno.IsDefinite(error) ? Kind.Failed : Kind.Unknown;
        Append(outcome, new About
        {
            Publisher = Number, Epoch = Epoch, Thread = maker.Thread, Sequence = about.Sequence, Error = -error,
        });
        maker.Count(outcome, about.Sequence);
        foreach (byte[] part in overwrite ? message : [])
            Array.Fill(part, (byte)0xA5);
        return error;
    }
}
