using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ipcmark.Agent;
using Microsoft.Win32.SafeHandles;

namespace Ipcmark.Sockets;

/// <summary>The socket files of one channel in a directory: CHANNEL.ROLE.PROCESS.ID. Paths are short, whatever the
/// directory is.</summary>
internal sealed class Folder : IDisposable
{
    private const int O_DIRECTORY = 0x10000, O_CLOEXEC = 0x80000;
    private const int Backlog = 1024;

    private static readonly string Process = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));

    private readonly SafeFileHandle _handle;
    private readonly string _path, _channel;

    public Folder(string directory, string channel)
    {
        byte[] path = [.. Encoding.UTF8.GetBytes(directory), 0];
        int descriptor = Open(path, O_DIRECTORY | O_CLOEXEC, 0);
        if (descriptor < 0)
            throw new PubSubException(Marshal.GetLastPInvokeError(), "the directory cannot be opened");
        _handle = new SafeFileHandle(descriptor, true);
        _path = $"/proc/self/fd/{descriptor}/";
        _channel = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(channel)))[..24];
    }

    public string Name(char role, string id) => $"{_channel}.{role}.{Process}.{id}";

    public static string IdOf(string name) => name.Split('.', 4)[3];

    /// <summary>The file has its name once somebody listens: one that refuses is of somebody who is dead.</summary>
    public Socket Listen(string name)
    {
        Socket listener = MakeSocket();
        string draft = "." + name;
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(_path + draft));
            listener.Listen(Backlog);
            File.Move(_path + draft, _path + name, true);
        }
        catch
        {
            listener.Dispose();
            Remove(draft);
            throw;
        }
        return listener;
    }

    /// <summary>Of other processes: endpoints of one process do not meet. Throws what <see cref="Errno.IsScarcity"/> is
    /// true of.</summary>
    public List<string> Others(char role)
    {
        string prefix = $"{_channel}.{role}.", own = prefix + Process;
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(_path).Select(path => Path.GetFileName(path))
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                .Where(name => !name.StartsWith(own, StringComparison.Ordinal))];
        }
        catch (Exception problem) when (problem is DirectoryNotFoundException or FileNotFoundException)
        {
            return [];
        }
    }

    /// <summary>Null: nobody is there; what a dead one left is cleared away. Throws where there is no room for a
    /// connection.</summary>
    public Socket? Connect(string name)
    {
        Socket connection = MakeSocket();
        try
        {
            connection.Connect(new UnixDomainSocketEndPoint(_path + name));
            return connection;
        }
        catch (SocketException problem)
        {
            connection.Dispose();
            int error = Errno.Of(problem);
            if (Errno.IsScarcity(error))
                throw;
            if (error == Errno.ECONNREFUSED)
                Remove(name);
            return null;
        }
    }

    public void Remove(string name)
    {
        try
        {
            File.Delete(_path + name);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // the directory is gone, or the file is not ours to remove
        }
    }

    public void Dispose() => _handle.Dispose();

    private static Socket MakeSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte[] path, int flags, int mode);
}
