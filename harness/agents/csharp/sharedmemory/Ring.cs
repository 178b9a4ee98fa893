using Ipcmark.Agent;
using SharedMemory;

namespace Ipcmark.SharedMemory;

/// <summary>Publishers find the ring once a subscriber has made it, and look for another one when that has closed
/// it.</summary>
internal sealed class RingPublisher(string name) : IPublisher
{
    private const int LookMs = 200;

    private readonly Lock _lock = new(); // the mapping must not go while somebody writes to it
    private CircularBuffer? _ring;
    private volatile bool _closed;

    public void Publish(byte[][] parts)
    {
        if (parts.Length != 1 || parts[0].Length == 0)
            throw new PubSubException(Errno.EINVAL, "a message has one part, which is not empty");
        bool written = false;
        while (!written && !_closed)
        {
            lock (_lock)
                written = !Find() || Write(parts[0]);
        }
        if (_closed)
            throw new PubSubException(Errno.ESHUTDOWN, "closed meanwhile");
    }

    /// <summary>False: there was no room for it, for a moment.</summary>
    private bool Write(byte[] message)
    {
        if (message.Length > _ring!.NodeBufferSize)
            throw new PubSubException(Errno.EMSGSIZE, "the message is larger than a node");
        return _ring.Write(message, 0, LookMs) == message.Length;
    }

    /// <summary>False: nobody is there to receive anything.</summary>
    private bool Find()
    {
        if (_ring is { ShuttingDown: true })
        {
            _ring.Dispose();
            _ring = null;
        }
        try
        {
            _ring ??= new CircularBuffer(name);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    public int CountPeers() => throw new PubSubException(Errno.ENOTSUP, "peers are not known");

    public void Dispose()
    {
        _closed = true;
        lock (_lock)
        {
            _ring?.Dispose();
            _ring = null;
        }
    }
}

internal sealed class RingSubscriber : ISubscriber
{
    private const int LookMs = 50; // how long a close may take to be seen

    private readonly CircularBuffer _ring;
    private readonly Action<byte[][]> _deliver;
    private readonly Thread _thread;
    private volatile bool _closed;

    public RingSubscriber(CircularBuffer ring, Action<byte[][]> deliver)
    {
        (_ring, _deliver) = (ring, deliver);
        _thread = Threads.Start("subscriber", Run);
    }

    private void Run()
    {
        var node = new byte[_ring.NodeBufferSize];
        while (!_closed)
        {
            int size = _ring.Read(node, 0, LookMs);
            if (size > 0 && !_closed)
                _deliver([node.AsSpan(0, size).ToArray()]);
        }
        _ring.Dispose();
    }

    public int CountPeers() => throw new PubSubException(Errno.ENOTSUP, "peers are not known");

    public void Dispose()
    {
        _closed = true;
        if (Thread.CurrentThread != _thread)
            _thread.Join();
    }
}
