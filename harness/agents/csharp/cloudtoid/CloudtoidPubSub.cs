using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloudtoid.Interprocess;
using Ipcmark.Agent;
using IPublisher = Ipcmark.Agent.IPublisher;
using ISubscriber = Ipcmark.Agent.ISubscriber;

namespace Ipcmark.Cloudtoid;

/// <summary>Cloudtoid.Interprocess: a queue in shared memory that several may read, each message going to one of them.
/// So it is publish/subscribe with one subscriber, and nobody knows who else is there.</summary>
internal sealed class CloudtoidPubSub : IPubSub
{
    private const long DefaultCapacity = 16 << 20; // bytes; params: capacity=…
    private const int OverheadBytes = 16;          // of a message in the queue: its header, rounded up to eight bytes

    private readonly QueueFactory _factory = new();

    public Implementation About { get; } = new("cloudtoid", Version, "https://github.com/cloudtoid/interprocess",
        "Cloudtoid.Interprocess: a queue in shared memory, one subscriber");

    public Capabilities Capabilities { get; } = new(
        ["survives_publisher_death", "threads", "publish_in_handler", "close_in_handler", "durable_pause",
            "isolation_directory", "when_full_fail"],
        MaxMessageBytes: DefaultCapacity / 2 - OverheadBytes, MaxSubscribers: 1);

    public IPublisher OpenPublisher(EndpointOptions options)
    {
        QueueOptions queue = Options(options);
        return new Publisher(_factory.CreatePublisher(queue));
    }

    public ISubscriber OpenSubscriber(EndpointOptions options, Action<byte[][]> deliver)
    {
        QueueOptions queue = Options(options);
        return new Subscriber(_factory.CreateSubscriber(queue), deliver);
    }

    private static string Version => typeof(QueueFactory).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    /// <summary>The name of the queue is that of a file in the directory, but also that of a semaphore which knows no
    /// directory: it is made of both, and short enough for any system.</summary>
    private static QueueOptions Options(EndpointOptions options)
    {
        byte[] name = SHA256.HashData(Encoding.UTF8.GetBytes(options.Directory + "\0" + options.Channel));
        long capacity = options.Parameters.TryGetValue("capacity", out string? text)
            ? long.Parse(text, CultureInfo.InvariantCulture)
            : DefaultCapacity;
        return new QueueOptions(Convert.ToHexStringLower(name)[..16], options.Directory, capacity);
    }

    private sealed class Publisher(global::Cloudtoid.Interprocess.IPublisher inner) : IPublisher
    {
        private const long Largest = DefaultCapacity / 2 - OverheadBytes;

        private readonly Lock _lock = new(); // the mapping must not go while somebody writes to it
        private bool _closed;

        public void Publish(byte[][] parts)
        {
            if (parts.Length != 1)
                throw new PubSubException(Errno.EINVAL, "a message has one part");
            if (parts[0].Length > Largest)
                throw new PubSubException(Errno.EMSGSIZE, "the message is too large");
            lock (_lock)
            {
                if (_closed)
                    throw new PubSubException(Errno.ESHUTDOWN, "the publisher is closed");
                if (!inner.TryEnqueue(parts[0]))
                    throw new PubSubException(Errno.EAGAIN, "the queue is full");
            }
        }

        public int CountPeers() => throw new PubSubException(Errno.ENOTSUP, "peers are not known");

        public void Dispose()
        {
            lock (_lock)
            {
                _closed = true;
                inner.Dispose();
            }
        }
    }

    private sealed class Subscriber : ISubscriber
    {
        private readonly global::Cloudtoid.Interprocess.ISubscriber _inner;
        private readonly Action<byte[][]> _deliver;
        private readonly CancellationTokenSource _closed = new();
        private readonly Thread _thread;

        public Subscriber(global::Cloudtoid.Interprocess.ISubscriber inner, Action<byte[][]> deliver)
        {
            (_inner, _deliver) = (inner, deliver);
            _thread = Threads.Start("subscriber", Run);
        }

        private void Run()
        {
            try
            {
                while (true)
                    _deliver([_inner.Dequeue(_closed.Token).ToArray()]);
            }
            catch (OperationCanceledException) when (_closed.IsCancellationRequested)
            {
                _inner.Dispose(); // here, where nobody reads any more
            }
        }

        public int CountPeers() => throw new PubSubException(Errno.ENOTSUP, "peers are not known");

        public void Dispose()
        {
            _closed.Cancel();
            if (Thread.CurrentThread == _thread)
                return;
            _thread.Join();
            _closed.Dispose();
        }
    }
}
