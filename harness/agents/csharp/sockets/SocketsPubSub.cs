using Ipcmark.Agent;

namespace Ipcmark.Sockets;

/// <summary>Publish/subscribe over Unix sockets, with the framework alone: what shows that the agent works.
///
/// An endpoint listens on a socket file in the directory. Publishers connect to subscribers; a subscriber that opens
/// connects to each publisher's socket for a moment, which says: look again. Whoever opens listens before it looks, so
/// that of any two one finds the other; nobody polls. A connection carries, from the publisher: its id, then messages;
/// from the subscriber: one byte, once it is ready for them. The kernel keeps what was sent until it is read, whoever
/// dies.</summary>
internal sealed class SocketsPubSub : IPubSub
{
    public Implementation About { get; } = new("dotnet-sockets", "1", null, "Unix sockets, in .NET's framework alone");

    public Capabilities Capabilities { get; } = new(
        ["multipart", "empty_message", "peers", "peer_events", "survives_publisher_death", "threads",
            "no_self_delivery",
            "publish_in_handler", "close_in_handler", "durable_pause", "directory_files", "isolation_directory",
            "when_full_block"],
        Wire.MaxMessageBytes);

    public IPublisher OpenPublisher(EndpointOptions options) => new Publisher(options);

    public ISubscriber OpenSubscriber(EndpointOptions options, Action<byte[][]> deliver) =>
        new Subscriber(options, deliver);
}
