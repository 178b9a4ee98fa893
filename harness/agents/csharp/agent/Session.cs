using System.Text.Json.Nodes;

namespace Ipcmark.Agent;

/// <summary>The ops of PROTOCOL.md on what is open in this process.</summary>
internal sealed class Session(IPubSub pubSub, Lines lines)
{
    private const long LookAgainNs = 2_000_000; // not every implementation tells when its peers change

    private readonly Dictionary<int, Endpoint> _endpoints = []; // by number: the latest life of each

    public IPubSub PubSub => pubSub;
    public Lines Lines => lines;
    public Journals? Journals { get; private set; }
    public uint Run { get; private set; }
    public ulong Seed { get; private set; }

    public JsonObject Hello(Request request)
    {
        Run = Payload.NameSum(request.Text("run"));
        Seed = request.Seed;
        if (request.Has("journal"))
            Journals ??= new Journals(request.Text("journal"));
        Implementation about = pubSub.About;
        return new JsonObject
        {
            ["protocol"] = 1,
            ["impl"] = new JsonObject
            {
                ["name"] = about.Name, ["version"] = about.Version, ["language"] = "C#", ["homepage"] = about.Homepage,
                ["summary"] = about.Summary,
            },
            ["caps"] = CapabilitiesOf(pubSub.Capabilities),
        };
    }

    private static JsonObject CapabilitiesOf(Capabilities capabilities)
    {
        var caps = new JsonObject
        {
            ["max_message_bytes"] = capabilities.MaxMessageBytes, ["max_publishers"] = capabilities.MaxPublishers,
            ["max_subscribers"] = capabilities.MaxSubscribers,
        };
        foreach (string promise in capabilities.Promises)
            caps[promise] = true;
        return caps;
    }

    public JsonObject OpenPublisher(Request request) => Keep(new PublisherEndpoint(this, request));

    public JsonObject OpenSubscriber(Request request) => Keep(new SubscriberEndpoint(this, request));

    private JsonObject Keep(Endpoint endpoint)
    {
        lock (_endpoints)
            _endpoints[endpoint.Number] = endpoint;
        return [];
    }

    private T Find<T>(Request request, string field = "endpoint")
        where T : Endpoint
    {
        lock (_endpoints)
        {
            return _endpoints.GetValueOrDefault((int)request.Number(field)) as T
                ?? throw new Refusal("ENOENT", $"\"{field}\" names no such endpoint that was opened here");
        }
    }

    public JsonObject WaitPeers(Request request)
    {
        var endpoint = Find<Endpoint>(request);
        long wanted = request.Number("count");
        long end = Clock.Now + request.Number("timeout_ms") * 1_000_000;
        while (true)
        {
            int count = endpoint.CountPeers();
            if (count == wanted)
                return new JsonObject { ["count"] = count, ["at_ns"] = Clock.Now };
            if (Clock.Now >= end)
                throw new Refusal("ETIMEDOUT", $"{count} peers instead of {wanted}");
            endpoint.WaitForChange(LookAgainNs);
        }
    }

    public JsonObject Publish(Request request) => Publishing.Run(Find<PublisherEndpoint>(request), request, Seed);

    public JsonObject Handler(Request request)
    {
        var subscriber = Find<SubscriberEndpoint>(request);
        PublisherEndpoint? reply = request.Number("reply", 0) > 0 ? Find<PublisherEndpoint>(request, "reply") : null;
        subscriber.Handle(request.Number("delay_us", 0) * 1000, reply, request.Number("close_after", 0));
        return [];
    }

    public JsonObject Drain(Request request)
    {
        var subscriber = Find<SubscriberEndpoint>(request);
        long end = Clock.Now + request.Number("timeout_ms") * 1_000_000;
        var wanted = new List<(ushort, ushort, ushort, ulong)>();
        foreach (var row in request["until"].EnumerateArray())
        {
            long[] name = [.. row.EnumerateArray().Select(Request.Whole)];
            wanted.Add(((ushort)name[0], (ushort)name[1], (ushort)name[2], (ulong)name[3]));
        }
        if (subscriber.WaitFor(wanted, end) is { } missing)
            throw new Refusal("ETIMEDOUT", $"not received: {missing} (publisher, epoch, thread, sequence)");
        return new JsonObject { ["received"] = subscriber.Received };
    }

    public JsonObject Peers(Request request) => new() { ["count"] = Find<Endpoint>(request).CountPeers() };

    /// <summary>What clauses look at; the figures of benchmarks are not kept.</summary>
    public JsonObject Stats(Request request)
    {
        if (!request.Has("endpoint") || request.Flag("reset") || Journals == null)
            throw new Refusal("not_supported", "this agent keeps no figures for benchmarks");
        if (Find<Endpoint>(request) is PublisherEndpoint publisher)
            return Publishing.Counts(publisher.Makers, Publishing.Sum(publisher.Makers));
        var subscriber = Find<SubscriberEndpoint>(request);
        return new JsonObject
        {
            ["received"] = subscriber.Received,
            ["bytes"] = subscriber.Bytes,
            ["lost"] = 0,
            ["torn"] = 0,
            ["duplicate"] = 0,
            ["reordered"] = 0,
            ["window"] = new JsonObject { ["messages"] = 0, ["bytes"] = 0 },
            ["histogram"] = EmptyHistogram(),
            ["histogram_uncorrected"] = EmptyHistogram(),
        };
    }

    private static JsonObject EmptyHistogram() =>
        new() { ["unit"] = "ns", ["significant_digits"] = 3, ["counts"] = new JsonArray() };

    public JsonObject Close(Request request)
    {
        Find<Endpoint>(request).Close(request);
        return [];
    }

    /// <summary>Publishers first: what they flush is still received.</summary>
    public void CloseAll()
    {
        Endpoint[] all;
        lock (_endpoints)
            all = [.. _endpoints.Values];
        foreach (Endpoint endpoint in all.OrderBy(each => each is SubscriberEndpoint))
            endpoint.Close();
    }
}
