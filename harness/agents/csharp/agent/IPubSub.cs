namespace Ipcmark.Agent;

/// <summary>A publish/subscribe implementation, as the agent sees it. A back-end is one of these and a line that runs
/// it.</summary>
public interface IPubSub
{
    Implementation About { get; }

    Capabilities Capabilities { get; }

    IPublisher OpenPublisher(EndpointOptions options);

    /// <summary><paramref name="deliver"/> is called once a message, one call at a time, and never after Dispose
    /// returned.</summary>
    ISubscriber OpenSubscriber(EndpointOptions options, Action<byte[][]> deliver);
}

/// <summary>Dispose closes it, from any thread, a handler's among them; it waits for a running deliver, unless called
/// from it.</summary>
public interface IEndpoint : IDisposable
{
    /// <summary>How many of the other kind are connected.</summary>
    int CountPeers();
}

public interface IPublisher : IEndpoint
{
    /// <summary>Returns when the message is stored or sent for each connected subscriber; else throws a <see
    /// cref="PubSubException"/>.</summary>
    void Publish(byte[][] parts);
}

public interface ISubscriber : IEndpoint;

/// <summary>What an endpoint is opened with. <c>OnPeer</c>: the peer's id (or null: unknown) and whether it
/// came.</summary>
public sealed record EndpointOptions(string Id, string Directory, string Channel, int PingIntervalMs,
    long MaxMessageBytes, IReadOnlyDictionary<string, string> Parameters, Action<string?, bool> OnPeer);

public sealed record Implementation(string Name, string Version, string? Homepage, string Summary);

/// <summary>What an implementation promises: names of PROTOCOL.md. What is not promised is not asked for.</summary>
public sealed record Capabilities(string[] Promises, long MaxMessageBytes = 0, int MaxPublishers = 0,
    int MaxSubscribers = 0);

/// <summary>An operation failed; the number is an errno of Linux, on whatever system.</summary>
public sealed class PubSubException(int error, string text) : Exception(text)
{
    public int Error { get; } = error;
}
