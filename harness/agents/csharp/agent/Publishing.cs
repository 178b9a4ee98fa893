using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ipcmark.Agent;

/// <summary>The op "publish": what each of its threads does.</summary>
internal sealed class Publishing
{
    private const long CoarseNs = 3_000_000; // longer waits can be cut short by a close

    private readonly PublisherEndpoint _publisher;
    private readonly int[] _sizes;
    private readonly int _parts, _killAt;
    private readonly long _count, _start, _end;
    private readonly double _rate, _jitter;
    private readonly bool _overwrite, _dry;
    private readonly DeathAtPublish? _death;
    private int _lastError;

    private Publishing(PublisherEndpoint publisher, Request request, ulong seed)
    {
        _publisher = publisher;
        JsonElement sizes = request["sizes"];
        _sizes = sizes.ValueKind == JsonValueKind.Array
            ? [.. sizes.EnumerateArray().Select(size => checked((int)Request.Whole(size)))]
            : [checked((int)Request.Whole(sizes))];
        _parts = (int)request.Number("parts", 1);
        _count = request.Number("count", long.MaxValue);
        _start = request.Number("start_at_ns", 0) is var at and > 0 ? at : Clock.Now;
        _end = request.Has("seconds") ? _start + (long)(request.Real("seconds", 0) * 1e9) : long.MaxValue;
        _rate = request.Real("rate", 0);
        _jitter = request.Real("jitter", 0);
        _overwrite = request.Flag("overwrite");
        _dry = request.Flag("dry");
        _killAt = (int)request.Number("kill_self_at", 0);
        if (_killAt > 0)
        {
            string moment = request.Has("kill_self_moment") ? request.Text("kill_self_moment") : "inside";
            _death = new DeathAtPublish(moment, seed, publisher.Number);
        }
    }

    public static JsonObject Run(PublisherEndpoint publisher, Request request, ulong seed)
    {
        if (publisher.Closing)
            throw new Refusal("ESHUTDOWN", "the publisher is closed");
        var publishing = new Publishing(publisher, request, seed);
        int threads = (int)request.Number("threads", 1);
        Maker[] makers = [.. Enumerable.Range(0, threads).Select(thread => publisher.Maker((ushort)thread))];
        Tally before = Sum(makers);
        long begin = Clock.Now;
        Thread[] others = [.. makers.Skip(1).Select(maker => Threads.Start("publish", () => publishing.Work(maker)))];
        publishing.Work(makers[0]);
        foreach (Thread other in others)
            other.Join();
        return publishing.Reply(makers, Sum(makers) - before, begin, Clock.Now);
    }

    public static Tally Sum(IEnumerable<Maker> makers) =>
        makers.Aggregate(default(Tally), (sum, maker) => sum + maker.Tally);

    public static JsonObject Counts(IEnumerable<Maker> makers, Tally tally) => new()
    {
        ["attempted"] = tally.Attempted,
        ["published"] = tally.Ok,
        ["failed"] = tally.Failed,
        ["unknown"] = tally.Unknown,
        ["last"] = new JsonArray([.. makers.Where(maker => maker.Sent > 0)
            .Select(maker => new JsonArray(maker.Thread, maker.Sent))]),
    };

    private JsonObject Reply(Maker[] makers, Tally tally, long begin, long end)
    {
        JsonObject reply = Counts(makers, tally);
        reply["first_ns"] = begin;
        reply["last_ns"] = end;
        reply["achieved_rate"] = tally.Attempted * 1e9 / Math.Max(end - begin, 1);
        if (_lastError != 0)
            reply["last_error"] = Errno.Name(_lastError);
        return reply;
    }

    private void Work(Maker maker)
    {
        WaitUntil(_start);
        for (long index = 0; !_publisher.Closing && index < _count && (_end == long.MaxValue || Clock.Now < _end);)
        {
            long due = 0;
            if (_rate > 0)
            {
                double late = _jitter > 0 ? _jitter * Random.Shared.NextDouble() : 0;
                due = _start + (long)((index + late) * 1e9 / _rate);
                WaitUntil(due);
            }
            int size = _sizes[index % _sizes.Length];
            index++;
            if (_dry)
                continue;
            DeathAtPublish? death = maker.Thread == 0 && index == _killAt ? _death : null;
            int error = _publisher.Publish(maker, size, _parts, due, _overwrite, death);
            if (error != 0)
                _lastError = error;
        }
    }

    private void WaitUntil(long time)
    {
        for (long left; !_publisher.Closing && (left = time - Clock.Now) > 0;)
        {
            if (left > CoarseNs)
                _publisher.WaitForChange(left - CoarseNs + 1_000_000);
            else
                Native.Sleep(left);
        }
    }
}
