using System.Net.Sockets;
using Ipcmark.Agent;

namespace Ipcmark.Sockets;

internal sealed class Publisher : IPublisher
{
    private sealed record Link(string Name, Socket Connection)
    {
        public Thread? Watcher { get; set; }
    }

    private readonly EndpointOptions _options;
    private readonly Folder _folder;
    private readonly Listener _listener;
    private readonly Lock _sending = new(); // messages do not mix
    private readonly Lock _peers = new();
    private readonly Dictionary<string, Link> _known = [];
    private Link[] _ready = [];
    private volatile bool _closed;

    public Publisher(EndpointOptions options)
    {
        _options = options;
        _folder = new Folder(options.Directory, options.Channel);
        try
        {
            _listener = new Listener(_folder, _folder.Name('p', options.Id), caller => caller.Dispose(), Look);
            _listener.Start();
        }
        catch
        {
            _folder.Dispose();
            throw;
        }
    }

    public void Publish(byte[][] parts)
    {
        byte[] frame = Wire.Frame(parts);
        lock (_sending)
        {
            Link[] ready = _ready;
            Link[] full = [.. ready.Where(link => !SendIfRoom(link, frame))];
            if (full.Length > 0)
            {
                using var ahead = Subscriber.ReadAhead();
                foreach (Link link in full)
                    Wire.Send(link.Connection, frame); // fails for one that is gone: its watcher finds out and says so
            }
        }
        if (_closed)
            throw new PubSubException(Errno.ESHUTDOWN, "closed meanwhile");
    }

    /// <summary>Those who have room get it before we wait for the others. (A large message may wait here,
    /// too.)</summary>
    private static bool SendIfRoom(Link link, byte[] frame)
    {
        if (!link.Connection.Poll(0, SelectMode.SelectWrite))
            return false;
        using var ahead = frame.Length > LargeBytes ? Subscriber.ReadAhead() : null;
        Wire.Send(link.Connection, frame);
        return true;
    }

    private const int LargeBytes = 32 << 10; // what a socket that has room takes for sure

    public int CountPeers() => _ready.Length;

    /// <summary>Connects to the subscribers that are new. False: one has to be tried again.</summary>
    private bool Look()
    {
        bool allTried = true;
        try
        {
            foreach (string name in _folder.Others('s'))
            {
                lock (_peers)
                {
                    if (_closed || _known.ContainsKey(name))
                        continue;
                }
                allTried &= TryLink(name);
            }
        }
        catch (IOException)
        {
            allTried = false;
        }
        return allTried;
    }

    private bool TryLink(string name)
    {
        Socket? connection;
        try
        {
            connection = _folder.Connect(name);
        }
        catch (SocketException)
        {
            return false;
        }
        if (connection == null)
            return true;
        Wire.Send(connection, Wire.Greeting(_options.Id)); // the first bytes always have room
        var link = new Link(name, connection);
        lock (_peers)
        {
            if (_closed)
                connection.Dispose();
            else
                _known[name] = link;
        }
        link.Watcher = Threads.StartPatiently("watcher", () => Watch(link), () => !_closed);
        return true;
    }

    /// <summary>A subscriber says that it is ready, once; anything else is its end.</summary>
    private void Watch(Link link)
    {
        var said = new byte[1];
        bool isReady = link.Connection.Receive(said, SocketFlags.None, out _) == 1;
        if (isReady)
        {
            lock (_peers)
                _ready = [.. _ready, link];
            _options.OnPeer(Folder.IdOf(link.Name), true);
            link.Connection.Receive(said, SocketFlags.None, out _);
        }
        Forget(link);
        if (isReady && !_closed)
            _options.OnPeer(Folder.IdOf(link.Name), false);
        Bury(link);
    }

    private void Forget(Link link)
    {
        lock (_peers)
        {
            _known.Remove(link.Name);
            _ready = [.. _ready.Where(each => each != link)];
        }
        Sockets.HangUp(link.Connection); // whoever is sending to it, is not any more
    }

    private void Bury(Link link)
    {
        lock (_sending)
            link.Connection.Dispose();
    }

    public void Dispose()
    {
        Link[] links;
        lock (_peers)
        {
            if (_closed)
                return;
            _closed = true;
            links = [.. _known.Values];
        }
        _listener.Stop();
        foreach (Link link in links)
            Sockets.HangUp(link.Connection); // whoever waits in Publish comes back; what was sent stays sent
        _listener.Join();
        foreach (Link link in links)
        {
            link.Watcher?.Join();
            Bury(link);
        }
        _folder.Dispose();
    }
}
