using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ipcmark.Agent;

/// <summary>Standard input and output: one JSON object a line.</summary>
internal sealed class Lines
{
    private readonly Stream _output = Console.OpenStandardOutput(); // writes at once
    private readonly Stream _errors = Console.OpenStandardError(); // later there may be no descriptor for it
    private readonly Lock _lock = new();

    public void Send(JsonObject line)
    {
        byte[] data = Encoding.UTF8.GetBytes(line.ToJsonString() + "\n");
        lock (_lock)
            _output.Write(data);
    }

    public void SendError(JsonElement id, string code, bool definite, string text) =>
        Send(new JsonObject
        {
            ["id"] = JsonValue.Create(id),
            ["error"] = new JsonObject { ["code"] = code, ["definite"] = definite, ["text"] = text },
        });

    public void SendPeer(int endpoint, string? peer, bool connected) =>
        Send(new JsonObject { ["ev"] = "peer", ["endpoint"] = endpoint, ["peer"] = peer, ["connected"] = connected });

    public void SendFatal(string text, object what)
    {
        _errors.Write(Encoding.UTF8.GetBytes(what + "\n"));
        Send(new JsonObject { ["ev"] = "fatal", ["text"] = text });
    }

    public static IEnumerable<JsonElement> Read()
    {
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        while (input.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }
}
