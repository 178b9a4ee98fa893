using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Ipcmark.Agent;

/// <summary>Kinds of record, in the order that the journal counts them.</summary>
public enum Kind : byte
{
    OpenInvoke = 1, OpenDone, CloseInvoke, CloseDone, Invoke, Ok, Failed, Unknown, Received, PeerUp, PeerDown, Peers,
}

/// <summary>One file of records, each given to the kernel by one write: what is in it outlives us. Used by one thread
/// at a time.</summary>
internal sealed class Journal : IDisposable
{
    private const int RecordBytes = 64;
    private const uint Commit = 0x4B52414D;

    private readonly SafeFileHandle _file;
    private readonly byte[] _record = new byte[RecordBytes];
    private uint _index;

    public Journal(string path)
    {
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        "IPCMARKJ"u8.CopyTo(_record);
        BinaryPrimitives.WriteUInt32LittleEndian(_record.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(_record.AsSpan(12), RecordBytes);
        BinaryPrimitives.WriteInt32LittleEndian(_record.AsSpan(16), Environment.ProcessId);
        RandomAccess.Write(_file, _record, 0);
    }

    /// <param name="time">0: now.</param>
    public void Append(Kind kind, ushort endpoint, ushort epoch, in About about, long time, int count)
    {
        Span<byte> record = _record;
        BinaryPrimitives.WriteUInt32LittleEndian(record, Commit ^ _index);
        BinaryPrimitives.WriteUInt16LittleEndian(record[4..], endpoint);
        BinaryPrimitives.WriteUInt16LittleEndian(record[6..], epoch);
        record[8] = (byte)kind;
        record[9] = about.Unframed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(record[10..], about.Thread);
        BinaryPrimitives.WriteUInt16LittleEndian(record[12..], about.Publisher);
        BinaryPrimitives.WriteUInt16LittleEndian(record[14..], about.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], about.Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(record[24..], about.Size);
        BinaryPrimitives.WriteInt64LittleEndian(record[32..], time != 0 ? time : Clock.Now);
        BinaryPrimitives.WriteUInt32LittleEndian(record[40..], about.Digest);
        BinaryPrimitives.WriteUInt32LittleEndian(record[44..], about.Run);
        BinaryPrimitives.WriteUInt32LittleEndian(record[48..], about.Channel);
        BinaryPrimitives.WriteInt32LittleEndian(record[52..], about.Parts);
        BinaryPrimitives.WriteInt32LittleEndian(record[56..], about.Error);
        BinaryPrimitives.WriteInt32LittleEndian(record[60..], count);
        RandomAccess.Write(_file, record, RecordBytes * (1L + _index));
        _index++;
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>As many journals as threads have ever written at the same time.</summary>
internal sealed class Journals(string prefix)
{
    private readonly Stack<Journal> _unused = new();
    private int _made;

    public void Append(Kind kind, ushort endpoint, ushort epoch, in About about = default, long time = 0, int count = 0)
    {
        Journal journal = Take();
        journal.Append(kind, endpoint, epoch, about, time, count);
        lock (_unused)
        {
            _unused.Push(journal);
            Monitor.Pulse(_unused);
        }
    }

    /// <summary>One that nobody writes now. Where no further can be made, as descriptors are used up, it waits for
    /// one.</summary>
    private Journal Take()
    {
        lock (_unused)
        {
            Journal? journal;
            while (!_unused.TryPop(out journal))
            {
                try
                {
                    journal = new Journal($"{prefix}.{_made}");
                    _made++;
                    break;
                }
                catch (Exception problem) when (_made > 0 && Errno.IsScarcity(Errno.Of(problem)))
                {
                    Monitor.Wait(_unused);
                }
            }
            return journal;
        }
    }
}
