using System.Text.Json;

namespace Ipcmark.Agent;

/// <summary>Nothing was done, and this is why.</summary>
internal sealed class Refusal(string code, string text) : Exception(text)
{
    public string Code { get; } = code;
}

/// <summary>A line of the coordinator.</summary>
internal sealed class Request(JsonElement line)
{
    public JsonElement Id => line.GetProperty("id");

    public string Op { get; } = line.GetProperty("op").GetString() ?? "";

    public IEnumerable<string> Fields => line.EnumerateObject().Select(each => each.Name);

    public bool Has(string name) =>
        line.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    public JsonElement this[string name] =>
        Has(name) ? line.GetProperty(name) : throw new Refusal("EINVAL", $"\"{name}\" is missing");

    public string Text(string name) => this[name].GetString() ?? "";

    public long Number(string name) => Whole(this[name]);

    public long Number(string name, long otherwise) => Has(name) ? Whole(this[name]) : otherwise;

    public double Real(string name, double otherwise) => Has(name) ? this[name].GetDouble() : otherwise;

    public bool Flag(string name) => Has(name) && this[name].GetBoolean();

    /// <summary>A large one may be written as 1.5e+15.</summary>
    public static long Whole(JsonElement value) => value.TryGetInt64(out long whole) ? whole : (long)value.GetDouble();

    public ulong Seed => this["seed"].TryGetUInt64(out ulong whole) ? whole : (ulong)this["seed"].GetDouble();
}
