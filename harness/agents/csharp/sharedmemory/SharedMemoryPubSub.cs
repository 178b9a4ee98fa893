using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ipcmark.Agent;
using SharedMemory;

namespace Ipcmark.SharedMemory;

/// <summary>SharedMemory's CircularBuffer: a ring of nodes of a fixed size, each message in one of them. Windows only,
/// for its named mapping and events. The subscriber owns the ring; several may write to it. (RpcBuffer, the other
/// candidate, is for calls between two: a request has one receiver and waits for an answer.) An empty message cannot be
/// told from a read that timed out.</summary>
internal sealed class SharedMemoryPubSub : IPubSub
{
    private const long RingBytes = 64 << 20;
    private const int MinNodes = 4, MaxNodes = 1024, MinNodeBytes = 256;
    private const int Largest = (int)(RingBytes / MinNodes);

    public Implementation About { get; } = new("sharedmemory", Version,
        "https://github.com/justinstenning/SharedMemory",
        "SharedMemory's CircularBuffer: a ring of nodes, one subscriber");

    public Capabilities Capabilities { get; } = new(
        ["survives_publisher_death", "threads", "publish_in_handler", "close_in_handler", "durable_pause",
            "when_full_block"],
        Largest, MaxSubscribers: 1);

    public IPublisher OpenPublisher(EndpointOptions options) => new RingPublisher(NameOf(options));

    public ISubscriber OpenSubscriber(EndpointOptions options, Action<byte[][]> deliver)
    {
        int nodeBytes = (int)Math.Clamp(options.MaxMessageBytes, MinNodeBytes, Largest);
        int nodes = (int)Math.Clamp(RingBytes / nodeBytes, MinNodes, MaxNodes);
        if (options.Parameters.TryGetValue("nodes", out string? text))
            nodes = int.Parse(text, CultureInfo.InvariantCulture);
        return new RingSubscriber(new CircularBuffer(NameOf(options), nodes, nodeBytes), deliver);
    }

    private static string Version => typeof(CircularBuffer).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    private static string NameOf(EndpointOptions options)
    {
        byte[] name = SHA256.HashData(Encoding.UTF8.GetBytes(options.Directory + "\0" + options.Channel));
        return Convert.ToHexStringLower(name)[..32];
    }
}
