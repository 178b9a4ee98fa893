using Ipcmark.Agent;
using MemoryMappedFileIPC;

namespace Ipcmark.MmFileIpc;

/// <summary>MemoryMappedFileIPC, as its README describes it: Windows only, for its named events. A publisher connects
/// to one subscriber of each other process; each pair has a mapping of its own, and a heartbeat.</summary>
internal sealed class MmFileIpcPubSub : IPubSub
{
    public Implementation About { get; } = new("mmfileipc", Version, "https://github.com/Phylliida/MemoryMappedFileIPC",
        "MemoryMappedFileIPC: a mapping for each pair, named events of Windows");

    // What its README says, or what follows from it. Publish puts into a queue without a limit in its own process: a
    // message whose publish returned goes under with its publisher, and nothing is ever full.
    public Capabilities Capabilities { get; } = new(
        ["multipart", "empty_message", "peers", "threads", "no_self_delivery", "publish_in_handler", "ping",
            "durable_pause", "directory_files", "isolation_directory"]);

    public IPublisher OpenPublisher(EndpointOptions options) => new Publisher(options);

    public ISubscriber OpenSubscriber(EndpointOptions options, Action<byte[][]> deliver) =>
        new Subscriber(options, deliver);

    private static string Version => typeof(IpcPublisher).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    private sealed class Publisher(EndpointOptions options) : IPublisher
    {
        private readonly IpcPublisher _inner = new(options.Channel, options.Directory, options.PingIntervalMs);
        private volatile bool _closed;

        public void Publish(byte[][] parts)
        {
            if (_closed) // it would do nothing and say nothing
                throw new PubSubException(Errno.ESHUTDOWN, "the publisher is closed");
            _inner.Publish([.. parts.Select(part => (byte[])part.Clone())]); // it keeps them until they are sent
        }

        public int CountPeers() => _inner.NumActiveConnections();

        public void Dispose()
        {
            _closed = true;
            _inner.Dispose();
        }
    }

    private sealed class Subscriber : ISubscriber
    {
        private readonly IpcSubscriber _inner;
        private readonly Lock _delivering = new(); // each connection has a thread; we are called by one at a time
        private volatile bool _closed;

        public Subscriber(EndpointOptions options, Action<byte[][]> deliver)
        {
            _inner = new IpcSubscriber(options.Channel, options.Directory, options.PingIntervalMs);
            _inner.RecievedBytes += parts =>
            {
                lock (_delivering)
                {
                    if (!_closed)
                        deliver(parts);
                }
            };
        }

        public int CountPeers() => _inner.NumActiveConnections();

        public void Dispose()
        {
            _closed = true;
            _inner.Dispose();
        }
    }
}
