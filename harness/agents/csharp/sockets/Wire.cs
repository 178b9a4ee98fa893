using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Ipcmark.Agent;

namespace Ipcmark.Sockets;

/// <summary>What connections carry. A message: the number of its parts, the size of each (32 bits, little-endian),
/// their bytes.</summary>
internal static class Wire
{
    public const int MaxMessageBytes = 64 << 20;
    public const byte Ready = (byte)'+';
    private const int MaxParts = 65535;

    public static byte[] Frame(byte[][] parts)
    {
        long size = parts.Sum(part => (long)part.Length);
        if (parts.Length > MaxParts || size > MaxMessageBytes)
            throw new PubSubException(Errno.EMSGSIZE, "the message is too large");
        var frame = new byte[4 + 4 * parts.Length + size];
        BinaryPrimitives.WriteInt32LittleEndian(frame, parts.Length);
        int at = 4;
        foreach (byte[] part in parts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(at), part.Length);
            at += 4;
        }
        foreach (byte[] part in parts)
        {
            part.CopyTo(frame, at);
            at += part.Length;
        }
        return frame;
    }

    public static byte[] Greeting(string id)
    {
        byte[] name = Encoding.UTF8.GetBytes(id);
        return [(byte)name.Length, .. name];
    }

    /// <summary>Waits while there is no room. False: nobody is there any more.</summary>
    public static bool Send(Socket connection, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int sent = connection.Send(data, SocketFlags.None, out SocketError error);
            if (error != SocketError.Success)
                return false;
            data = data[sent..];
        }
        return true;
    }
}

/// <summary>Reads what <see cref="Wire"/> has written.</summary>
internal sealed class WireReader(Socket connection)
{
    private const int BufferBytes = 64 << 10;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _begin, _end;

    /// <summary>Null: it ended, and a message that was cut off by that was none.</summary>
    public string? ReadGreeting()
    {
        Span<byte> size = stackalloc byte[1];
        if (!Fill(size))
            return null;
        var name = new byte[size[0]];
        return Fill(name) ? Encoding.UTF8.GetString(name) : null;
    }

    public byte[][]? ReadMessage()
    {
        Span<byte> number = stackalloc byte[4];
        if (!Fill(number))
            return null;
        var sizes = new byte[4 * BinaryPrimitives.ReadInt32LittleEndian(number)];
        if (!Fill(sizes))
            return null;
        var parts = new byte[sizes.Length / 4][];
        for (int part = 0; part < parts.Length; part++)
        {
            parts[part] = new byte[BinaryPrimitives.ReadInt32LittleEndian(sizes.AsSpan(4 * part))];
            if (!Fill(parts[part]))
                return null;
        }
        return parts;
    }

    private bool Fill(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            if (_begin == _end && !Refill())
                return false;
            int some = Math.Min(target.Length, _end - _begin);
            _buffer.AsSpan(_begin, some).CopyTo(target);
            _begin += some;
            target = target[some..];
        }
        return true;
    }

    private bool Refill()
    {
        _begin = 0;
        _end = connection.Receive(_buffer, 0, BufferBytes, SocketFlags.None, out SocketError error);
        if (error != SocketError.Success)
            _end = 0;
        return _end > 0;
    }
}
