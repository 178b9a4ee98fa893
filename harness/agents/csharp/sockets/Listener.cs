using System.Net.Sockets;
using Ipcmark.Agent;

namespace Ipcmark.Sockets;

/// <summary>An endpoint's socket file, and a thread that waits for whoever connects to it.</summary>
internal sealed class Listener
{
    private const int AgainMs = 20; // where there was no room for a connection

    private readonly Folder _folder;
    private readonly string _name;
    private readonly Socket _socket;
    private readonly Func<bool> _idle;
    private readonly Action<Socket> _accepted;
    private Thread? _thread;
    private volatile bool _closed;

    /// <param name="accepted">Gets each connection.</param>
    /// <param name="idle">Runs at the start and after each connection; false: it wants to run again soon.</param>
    public Listener(Folder folder, string name, Action<Socket> accepted, Func<bool> idle)
    {
        (_folder, _name, _accepted, _idle) = (folder, name, accepted, idle);
        _socket = folder.Listen(name);
    }

    public void Start()
    {
        try
        {
            _thread = Threads.Start("listener", Run);
        }
        catch (Exception problem) when (problem is OutOfMemoryException or ThreadStartException)
        {
            Stop();
            Join();
            throw new PubSubException(Errno.ENOMEM, "no thread can be started");
        }
    }

    private void Run()
    {
        bool done = _idle();
        while (!_closed)
        {
            if (_socket.Poll(done ? -1 : AgainMs * 1000, SelectMode.SelectRead) && !_closed && !Accept())
                Thread.Sleep(AgainMs);
            if (!_closed)
                done = _idle();
        }
    }

    private bool Accept()
    {
        try
        {
            _accepted(_socket.Accept());
            return true;
        }
        catch (SocketException problem)
        {
            return !Errno.IsScarcity(Errno.Of(problem)); // else it went again
        }
    }

    /// <summary>Nobody finds us any more, and the thread will end.</summary>
    public void Stop()
    {
        _closed = true;
        _folder.Remove(_name);
        Sockets.HangUp(_socket);
    }

    public void Join()
    {
        _thread?.Join();
        _socket.Dispose();
    }
}

internal static class Sockets
{
    /// <summary>Whoever waits for this socket, in whatever call, comes back.</summary>
    public static void HangUp(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
        {
            // the other side was faster
        }
    }
}
