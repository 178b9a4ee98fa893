using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Ipcmark.Agent;

/// <summary>What a record says of a message.</summary>
public readonly record struct About(bool Unframed, ushort Publisher, ushort Epoch, ushort Thread, ulong Sequence,
    ulong Size, int Parts, uint Digest, uint Run, uint Channel, int Error);

/// <summary>Messages that tell who sent them. The byte ruler is in PROTOCOL.md.</summary>
public static class Payload
{
    public const int HeaderBytes = 48;
    public const ushort NoEndpoint = 0xFFFF;

    public static uint NameSum(string name) => Crc32.Of(Encoding.UTF8.GetBytes(name));

    /// <summary>CRC-32 over the number of parts, the size of each, then all bytes.</summary>
    public static uint Digest(byte[][] parts)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(number, parts.Length);
        uint digest = Crc32.Of(number[..4]);
        foreach (byte[] part in parts)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, part.Length);
            digest = Crc32.Of(number, digest);
        }
        foreach (byte[] part in parts)
            digest = Crc32.Of(part, digest);
        return digest;
    }

    /// <summary>What a message says of itself, for the record of its arrival. Every byte is looked at.</summary>
    public static About Read(byte[][] parts)
    {
        ulong size = Size(parts);
        uint digest = Digest(parts);
        if (parts.Length == 0 || parts[0].Length < HeaderBytes)
            return new About(true, NoEndpoint, 0, 0, 0, size, parts.Length, digest, 0, 0, 0);
        ReadOnlySpan<byte> head = parts[0];
        bool right = BinaryPrimitives.ReadUInt32LittleEndian(head) == BodySum(parts)
            && BinaryPrimitives.ReadUInt16LittleEndian(head[18..]) == parts.Length
            && BinaryPrimitives.ReadUInt32LittleEndian(head[20..]) == size;
        return new About
        {
            Run = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]),
            Channel = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]),
            Publisher = BinaryPrimitives.ReadUInt16LittleEndian(head[12..]),
            Epoch = BinaryPrimitives.ReadUInt16LittleEndian(head[14..]),
            Thread = BinaryPrimitives.ReadUInt16LittleEndian(head[16..]),
            Sequence = BinaryPrimitives.ReadUInt64LittleEndian(head[24..]),
            Size = size,
            Parts = parts.Length,
            Digest = digest,
            Error = right ? 0 : -Errno.EBADMSG,
        };
    }

    public static ulong Size(byte[][] parts)
    {
        ulong size = 0;
        foreach (byte[] part in parts)
            size += (ulong)part.Length;
        return size;
    }

    /// <summary>Of all bytes after the sum itself.</summary>
    public static uint BodySum(byte[][] parts)
    {
        uint sum = Crc32.Of(parts[0].AsSpan(4));
        for (int part = 1; part < parts.Length; part++)
            sum = Crc32.Of(parts[part], sum);
        return sum;
    }

    /// <summary>64-bit words key + k * 0x9E37…15, as many bytes of them as there is room for.</summary>
    public static void FillBody(Span<byte> body, ulong seed, ulong nonce, int part)
    {
        ulong word = Key(seed, nonce, part);
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(body);
        for (int k = 0; k < words.Length; k++, word += Step)
            words[k] = BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
        Span<byte> last = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(last, word);
        int rest = body.Length % 8;
        last[..rest].CopyTo(body[^rest..]);
    }

    private const ulong Step = 0x9E3779B97F4A7C15;

    private static ulong Key(ulong seed, ulong nonce, int part)
    {
        ulong key = (seed ^ nonce) + Step * ((ulong)part + 1);
        key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9;
        key = (key ^ key >> 27) * 0x94D049BB133111EB;
        return key ^ key >> 31;
    }
}
