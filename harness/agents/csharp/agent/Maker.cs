using System.Buffers.Binary;

namespace Ipcmark.Agent;

/// <summary>Makes the messages of one thread of a publisher, and counts what became of them.</summary>
internal sealed class Maker(uint run, uint channel, ushort publisher, ushort epoch, ushort thread, ulong seed)
{
    public ushort Thread { get; } = thread;
    public ulong Sequence { get; private set; }

    /// <summary>Highest sequence whose publish succeeded.</summary>
    public ulong Sent { get; private set; }

    private long _ok, _failed, _unknown;

    public Tally Tally => new(Interlocked.Read(ref _ok), Interlocked.Read(ref _failed), Interlocked.Read(ref _unknown));

    public void Count(Kind outcome, ulong sequence)
    {
        if (outcome == Kind.Ok)
        {
            Sent = sequence;
            Interlocked.Increment(ref _ok);
        }
        else
        {
            Interlocked.Increment(ref outcome == Kind.Failed ? ref _failed : ref _unknown);
        }
    }

    /// <summary>The next message, in arrays of its own, and what its record says.</summary>
    public byte[][] Make(int size, int parts, long scheduled, out About about)
    {
        Sequence++;
        byte[][] message = Split(size, parts);
        bool framed = parts > 0 && message[0].Length >= Payload.HeaderBytes;
        ulong nonce = (ulong)Random.Shared.NextInt64();
        for (int part = 0; part < parts; part++)
            Payload.FillBody(message[part].AsSpan(framed && part == 0 ? Payload.HeaderBytes : 0), seed, nonce, part);
        if (framed)
            WriteHeader(message, size, scheduled, nonce);
        about = new About(!framed, publisher, epoch, Thread, Sequence, (ulong)size, parts, Payload.Digest(message), run,
            channel, 0);
        return message;
    }

    private void WriteHeader(byte[][] message, int size, long scheduled, ulong nonce)
    {
        Span<byte> head = message[0];
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], run);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], channel);
        BinaryPrimitives.WriteUInt16LittleEndian(head[12..], publisher);
        BinaryPrimitives.WriteUInt16LittleEndian(head[14..], epoch);
        BinaryPrimitives.WriteUInt16LittleEndian(head[16..], Thread);
        BinaryPrimitives.WriteUInt16LittleEndian(head[18..], (ushort)message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[20..], (uint)size);
        BinaryPrimitives.WriteUInt64LittleEndian(head[24..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(head[32..], scheduled);
        BinaryPrimitives.WriteUInt64LittleEndian(head[40..], nonce);
        BinaryPrimitives.WriteUInt32LittleEndian(head, Payload.BodySum(message));
    }

    /// <summary>The header stays whole; every second part of every second message is empty.</summary>
    private byte[][] Split(int size, int parts)
    {
        bool someEmpty = Sequence % 2 == 0;
        int filled = someEmpty ? (parts + 1) / 2 : parts;
        int head = size >= Payload.HeaderBytes ? Payload.HeaderBytes : 0;
        int share = (size - head) / Math.Max(filled, 1);
        var message = new byte[parts][];
        for (int part = 1; part < parts; part++)
            message[part] = someEmpty && part % 2 == 1 ? [] : new byte[share];
        if (parts > 0)
            message[0] = new byte[size - share * (filled - 1)];
        return message;
    }
}

/// <summary>How many publishes came to which end.</summary>
internal readonly record struct Tally(long Ok, long Failed, long Unknown)
{
    public long Attempted => Ok + Failed + Unknown;

    public static Tally operator +(Tally a, Tally b) => new(a.Ok + b.Ok, a.Failed + b.Failed, a.Unknown + b.Unknown);

    public static Tally operator -(Tally a, Tally b) => new(a.Ok - b.Ok, a.Failed - b.Failed, a.Unknown - b.Unknown);
}
