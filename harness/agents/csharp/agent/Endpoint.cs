using System.Globalization;

namespace Ipcmark.Agent;

/// <summary>One life of a publisher or subscriber: what the implementation does, written down.</summary>
internal abstract class Endpoint
{
    protected Endpoint(Session session, Request request)
    {
        Session = session;
        Number = (ushort)request.Number("endpoint");
        Epoch = (ushort)request.Number("epoch");
        Channel = Payload.NameSum(request.Text("channel"));
    }

    public ushort Number { get; }
    public ushort Epoch { get; }
    public bool Closing => _closing;

    /// <summary>Pulsed when peers come or go, when what is waited for has arrived, and on close.</summary>
    public object Changed { get; } = new();

    protected Session Session { get; }
    protected uint Channel { get; }

    private volatile bool _closing;
    private IEndpoint? _inner;

    protected void Open(Request request, Func<EndpointOptions, IEndpoint> open)
    {
        Death? death = Death.Of(request);
        EndpointOptions options = Options(request);
        Exception? problem = null;
        Append(Kind.OpenInvoke, new About { Channel = Channel });
        death?.Set();
        try
        {
            _inner = open(options);
        }
        catch (Exception caught) when (caught is not Refusal)
        {
            _closing = true;
            problem = caught;
        }
        Append(Kind.OpenDone, new About { Channel = Channel, Error = problem == null ? 0 : -Errno.Of(problem) });
        if (death != null)
            Death.Await();
        if (problem != null)
            throw new PubSubException(Errno.Of(problem), problem.Message);
    }

    private EndpointOptions Options(Request request)
    {
        var parameters = request.Has("params")
            ? request["params"].EnumerateObject().ToDictionary(each => each.Name, each => each.Value.GetString() ?? "")
            : [];
        string id = string.Create(CultureInfo.InvariantCulture, $"{Number}.{Epoch}");
        return new EndpointOptions(id, request.Text("directory"), request.Text("channel"),
            (int)request.Number("ping_interval_ms"), request.Number("max_message_bytes"), parameters, OnPeer);
    }

    public int CountPeers()
    {
        if (_closing || _inner == null)
            throw new PubSubException(Errno.ESHUTDOWN, "the endpoint is closed");
        int count = _inner.CountPeers();
        Append(Kind.Peers, count: count);
        return count;
    }

    public void Close(Request? request = null)
    {
        Death? death = request == null ? null : Death.Of(request);
        bool first;
        lock (Changed)
        {
            first = !_closing;
            _closing = true;
            Monitor.PulseAll(Changed);
        }
        if (first)
        {
            Append(Kind.CloseInvoke, new About { Channel = Channel });
            death?.Set();
            _inner?.Dispose();
            Append(Kind.CloseDone, new About { Channel = Channel });
        }
        death?.Set();
        if (death != null)
            Death.Await();
    }

    /// <summary>Until Changed is pulsed, or for so long; the caller looks again in any case.</summary>
    public void WaitForChange(long ns)
    {
        lock (Changed)
        {
            if (!_closing)
                Monitor.Wait(Changed, (int)Math.Clamp(ns / 1_000_000, 1, 3_600_000));
        }
    }

    protected void Append(Kind kind, in About about = default, long time = 0, int count = 0) =>
        Session.Journals?.Append(kind, Number, Epoch, about, time, count);

    private void OnPeer(string? peer, bool connected)
    {
        Append(connected ? Kind.PeerUp : Kind.PeerDown, NameOf(peer), count: -1);
        Session.Lines.SendPeer(Number, peer, connected);
        lock (Changed)
            Monitor.PulseAll(Changed);
    }

    private static About NameOf(string? peer)
    {
        string[] halves = (peer ?? "").Split('.');
        if (halves.Length == 2 && ushort.TryParse(halves[0], CultureInfo.InvariantCulture, out ushort number)
            && ushort.TryParse(halves[1], CultureInfo.InvariantCulture, out ushort epoch))
            return new About { Publisher = number, Epoch = epoch };
        bool isProcess = peer != null && peer.StartsWith("pid:", StringComparison.Ordinal);
        if (!isProcess || !ulong.TryParse(peer.AsSpan(4), CultureInfo.InvariantCulture, out ulong process))
            process = 0;
        return new About { Publisher = Payload.NoEndpoint, Sequence = process };
    }
}
