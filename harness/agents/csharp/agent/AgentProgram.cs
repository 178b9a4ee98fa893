using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ipcmark.Agent;

/// <summary>Makes an implementation a participant of ipcmark: <c>return AgentProgram.Run(new MyPubSub());</c></summary>
public static class AgentProgram
{
    private const string FieldsOfOpen =
        "endpoint epoch channel directory ping_interval_ms max_message_bytes params kill_self_after_us";

    private static readonly Dictionary<string, string> Fields = new()
    {
        ["open_publisher"] = FieldsOfOpen,
        ["open_subscriber"] = FieldsOfOpen,
        ["wait_peers"] = "endpoint count timeout_ms",
        ["publish"] = "endpoint sizes parts threads count seconds rate jitter start_at_ns sleep dry kill_self_at"
            + " kill_self_moment overwrite",
        ["handler"] = "endpoint delay_us reply close_after",
        ["drain"] = "endpoint until timeout_ms",
        ["peers"] = "endpoint",
        ["stats"] = "endpoint to_ns reset",
        ["close"] = "endpoint kill_self_after_us",
    };

    public static int Run(IPubSub pubSub)
    {
        var lines = new Lines();
        AppDomain.CurrentDomain.UnhandledException += (_, what) => GiveUp(lines, what.ExceptionObject);
        var session = new Session(pubSub, lines);
        var workers = new Workers();
        foreach (JsonElement line in Lines.Read())
        {
            var request = new Request(line);
            if (request.Op is "hello" or "stop") // nothing else is asked before the one is answered, or after the other
                Answer(session, request);
            else // one that blocks must not keep others from being answered
                Hand(workers, session, request);
            if (request.Op == "stop")
                break;
        }
        Native.Exit(0); // also where standard input has ended, whatever is still going on
        return 0;
    }

    private static void Hand(Workers workers, Session session, Request request)
    {
        try
        {
            workers.Do(() => Answer(session, request));
        }
        catch (Exception problem) when (problem is OutOfMemoryException or ThreadStartException)
        {
            session.Lines.SendError(request.Id, "ENOMEM", true, "no thread can be started");
        }
    }

    private static void Answer(Session session, Request request)
    {
        try
        {
            RefuseUnknown(request);
            JsonObject reply = CarryOut(session, request);
            reply["id"] = JsonValue.Create(request.Id);
            reply["ok"] = true;
            session.Lines.Send(reply);
        }
        catch (Refusal refusal)
        {
            session.Lines.SendError(request.Id, refusal.Code, true, refusal.Message);
        }
        catch (Exception problem) when (problem is PubSubException or IOException or OutOfMemoryException
            or ThreadStartException)
        {
            session.Lines.SendError(request.Id, Errno.Name(Errno.Of(problem)), true, problem.Message);
        }
    }

    private static JsonObject CarryOut(Session session, Request request)
    {
        switch (request.Op)
        {
            case "hello": return session.Hello(request);
            case "open_publisher": return session.OpenPublisher(request);
            case "open_subscriber": return session.OpenSubscriber(request);
            case "wait_peers": return session.WaitPeers(request);
            case "publish": return session.Publish(request);
            case "handler": return session.Handler(request);
            case "drain": return session.Drain(request);
            case "peers": return session.Peers(request);
            case "stats": return session.Stats(request);
            case "close": return session.Close(request);
            default:
                session.CloseAll();
                return [];
        }
    }

    /// <summary>What is asked for with a field that we do not know would be carried out by half.</summary>
    private static void RefuseUnknown(Request request)
    {
        if (request.Op is "hello" or "stop")
            return;
        if (!Fields.TryGetValue(request.Op, out string? fields))
            throw new Refusal("not_supported", $"this agent knows no op \"{request.Op}\"");
        string[] known = fields.Split(' ');
        foreach (string name in request.Fields)
        {
            if (name is not ("id" or "op") && !known.Contains(name))
                throw new Refusal("not_supported", $"this agent knows no \"{name}\" of {request.Op}");
        }
    }

    /// <summary>Of a thread that fails unexpectedly, a full journal above all: nothing that we say would be true any
    /// more.</summary>
    private static void GiveUp(Lines lines, object what)
    {
        lines.SendFatal(what is Exception problem ? $"{problem.GetType().Name}: {problem.Message}" : "unknown", what);
        Native.Exit(3);
    }
}
