using System.Net.Sockets;
using Ipcmark.Agent;

namespace Ipcmark.Sockets;

/// <summary>A thread for each publisher reads its messages into a queue; another hands them over.</summary>
internal sealed class Subscriber : ISubscriber
{
    private const long QueueBytes = 1 << 20;
    private const long QueueBytesAhead = 64 << 20;

    [ThreadStatic]
    private static Subscriber? s_handling;

    private sealed class Source(Socket connection)
    {
        public Socket Connection => connection;
        public string? Peer { get; set; }
        public Thread? Reader { get; set; }
    }

    private readonly record struct Item(Source From, byte[][]? Parts);

    private readonly EndpointOptions _options;
    private readonly Action<byte[][]> _deliver;
    private readonly Folder _folder;
    private readonly Listener _listener;
    private readonly Thread _thread;
    private readonly Queue<Item> _queue = new(); // and the lock of what follows
    private readonly HashSet<Source> _sources = [];
    private long _queuedBytes;
    private bool _handlerWaits;
    private volatile bool _closed;

    public Subscriber(EndpointOptions options, Action<byte[][]> deliver)
    {
        (_options, _deliver) = (options, deliver);
        _folder = new Folder(options.Directory, options.Channel);
        try
        {
            _listener = new Listener(_folder, _folder.Name('s', options.Id), Accept, () => true);
            _listener.Start();
            _thread = Threads.Start("deliver", Run);
            Ring();
        }
        catch
        {
            if (_thread != null)
                Dispose();
            else
                Undo();
            throw;
        }
    }

    private void Undo()
    {
        _closed = true;
        _listener?.Stop();
        _listener?.Join();
        _folder.Dispose();
    }

    /// <summary>Publishers shall look again.</summary>
    private void Ring()
    {
        foreach (string name in _folder.Others('p'))
            _folder.Connect(name)?.Dispose();
    }

    public int CountPeers()
    {
        lock (_queue)
            return _sources.Count(source => source.Peer != null);
    }

    private void Accept(Socket connection)
    {
        var source = new Source(connection);
        lock (_queue)
        {
            if (!_closed)
                _sources.Add(source);
        }
        source.Reader = Threads.StartPatiently("reader", () => Read(source), () => !_closed);
        if (source.Reader == null)
            connection.Dispose();
    }

    private void Read(Source source)
    {
        var reader = new WireReader(source.Connection);
        string? peer = reader.ReadGreeting();
        if (peer == null || !Welcome(source, peer))
        {
            Forget(source);
            source.Connection.Dispose();
            return;
        }
        while (reader.ReadMessage() is { } parts && Put(new Item(source, parts)))
            continue;
        Put(new Item(source, null));
    }

    private bool Welcome(Source source, string peer)
    {
        lock (_queue)
        {
            if (_closed)
                return false;
            source.Peer = peer;
        }
        _options.OnPeer(peer, true);
        Wire.Send(source.Connection, [Wire.Ready]); // fails if it is gone, which is what is read next
        return true;
    }

    private void Forget(Source source)
    {
        lock (_queue)
            _sources.Remove(source);
    }

    /// <summary>Waits while there is no room. False: we are closed.</summary>
    private bool Put(Item item)
    {
        lock (_queue)
        {
            while (!_closed && _queuedBytes > (_handlerWaits ? QueueBytesAhead : QueueBytes))
                Monitor.Wait(_queue);
            if (_closed)
                return false;
            _queue.Enqueue(item);
            _queuedBytes += Weight(item);
            Monitor.PulseAll(_queue);
            return true;
        }
    }

    private static long Weight(Item item) => item.Parts == null ? 0 : 64 + item.Parts.Sum(part => (long)part.Length);

    private Item? Take()
    {
        lock (_queue)
        {
            while (!_closed && _queue.Count == 0)
                Monitor.Wait(_queue);
            if (_closed)
                return null;
            Item item = _queue.Dequeue();
            _queuedBytes -= Weight(item);
            Monitor.PulseAll(_queue);
            return item;
        }
    }

    private void Run()
    {
        s_handling = this;
        while (Take() is { } item)
        {
            if (item.Parts != null)
                _deliver(item.Parts);
            else
                Part(item.From);
        }
        _listener.Join();
        Source[] left;
        lock (_queue)
            left = [.. _sources];
        foreach (Source source in left)
        {
            source.Reader?.Join();
            source.Connection.Dispose();
        }
        _folder.Dispose();
    }

    /// <summary>A publisher has gone, and what it had sent has been handed over.</summary>
    private void Part(Source source)
    {
        Forget(source);
        source.Reader?.Join();
        source.Connection.Dispose();
        _options.OnPeer(source.Peer, false);
    }

    public void Dispose()
    {
        lock (_queue)
        {
            if (!_closed)
            {
                _closed = true;
                _listener.Stop();
                foreach (Source source in _sources)
                    Sockets.HangUp(source.Connection);
                Monitor.PulseAll(_queue);
            }
        }
        if (Thread.CurrentThread != _thread)
            _thread.Join(); // it clears away; a handler that closes its own subscriber returns to it
    }

    /// <summary>Called by whoever waits in Publish. If that is our handler, we read on meanwhile: two whose handlers
    /// answer each other would wait for each other for ever.</summary>
    public static IDisposable? ReadAhead() => s_handling == null ? null : new Ahead(s_handling);

    private sealed class Ahead : IDisposable
    {
        private readonly Subscriber _subscriber;

        public Ahead(Subscriber subscriber)
        {
            _subscriber = subscriber;
            Set(true);
        }

        public void Dispose() => Set(false);

        private void Set(bool waits)
        {
            lock (_subscriber._queue)
            {
                _subscriber._handlerWaits = waits;
                Monitor.PulseAll(_subscriber._queue);
            }
        }
    }
}
