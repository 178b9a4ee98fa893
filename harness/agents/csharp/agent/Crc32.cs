using System.Buffers.Binary;

namespace Ipcmark.Agent;

/// <summary>CRC-32 as zlib has it, eight bytes at a time: the framework keeps its own to itself.</summary>
public static class Crc32
{
    private const uint Polynomial = 0xEDB88320;

    private static readonly uint[][] Tables = MakeTables();

    public static uint Of(ReadOnlySpan<byte> data, uint before = 0)
    {
        uint crc = ~before;
        uint[][] t = Tables;
        for (; data.Length >= 8; data = data[8..])
        {
            uint low = crc ^ BinaryPrimitives.ReadUInt32LittleEndian(data);
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24]
                ^ t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
        }
        foreach (byte each in data)
            crc = crc >> 8 ^ t[0][(crc ^ each) & 255];
        return ~crc;
    }

    /// <summary>Table k says what a byte does to the sum when k more bytes of zero follow it.</summary>
    private static uint[][] MakeTables()
    {
        var tables = new uint[8][];
        for (int k = 0; k < 8; k++)
        {
            tables[k] = new uint[256];
            for (uint value = 0; value < 256; value++)
            {
                uint crc = k == 0 ? value : tables[k - 1][value];
                for (int bit = 0; k == 0 && bit < 8; bit++)
                    crc = (crc & 1) != 0 ? crc >> 1 ^ Polynomial : crc >> 1;
                tables[k][value] = k == 0 ? crc : crc >> 8 ^ tables[0][crc & 255];
            }
        }
        return tables;
    }
}
