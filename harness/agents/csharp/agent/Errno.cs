using System.Net.Sockets;

namespace Ipcmark.Agent;

/// <summary>Linux' numbers, which the protocol and the journal speak on every system.</summary>
public static class Errno
{
    public const int ENOENT = 2, EIO = 5, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EINVAL = 22, ENFILE = 23,
        EMFILE = 24, ENOSPC = 28, EBADMSG = 74, EMSGSIZE = 90, ENOTSUP = 95, ENOBUFS = 105, ESHUTDOWN = 108,
        ETIMEDOUT = 110, ECONNREFUSED = 111;

    private const int HighestNumber = 133;

    private static readonly Dictionary<int, string> Names = new()
    {
        [1] = "EPERM", [2] = "ENOENT", [4] = "EINTR", [5] = "EIO", [9] = "EBADF", [11] = "EAGAIN",
        [12] = "ENOMEM", [13] = "EACCES", [16] = "EBUSY", [17] = "EEXIST", [20] = "ENOTDIR", [21] = "EISDIR",
        [22] = "EINVAL", [23] = "ENFILE", [24] = "EMFILE", [27] = "EFBIG", [28] = "ENOSPC", [30] = "EROFS",
        [32] = "EPIPE", [36] = "ENAMETOOLONG", [40] = "ELOOP", [74] = "EBADMSG", [88] = "ENOTSOCK", [90] = "EMSGSIZE",
        [95] = "ENOTSUP", [98] = "EADDRINUSE", [104] = "ECONNRESET", [105] = "ENOBUFS",
        [107] = "ENOTCONN", [108] = "ESHUTDOWN", [110] = "ETIMEDOUT", [111] = "ECONNREFUSED", [122] = "EDQUOT",
    };

    public static string Name(int error) => Names.GetValueOrDefault(error, "EIO");

    /// <summary>Nobody receives a message whose publish failed so; of any other failure it is unknown.</summary>
    public static bool IsDefinite(int error) => error is EAGAIN or EMSGSIZE or EINVAL or ENOSPC or ENOMEM or ETIMEDOUT;

    /// <summary>It may work later, with what others give back.</summary>
    public static bool IsScarcity(int error) => error is EAGAIN or EMFILE or ENFILE or ENOMEM or ENOBUFS;

    public static int Of(Exception problem) => problem switch
    {
        PubSubException failed => failed.Error,
        SocketException socket => socket.NativeErrorCode is > 0 and <= HighestNumber ? socket.NativeErrorCode : EIO,
        IOException { InnerException: SocketException inner } => Of(inner),
        FileNotFoundException or DirectoryNotFoundException => ENOENT,
        UnauthorizedAccessException => EACCES,
        OutOfMemoryException or ThreadStartException => ENOMEM,
        IOException io => io.HResult is > 0 and <= HighestNumber ? io.HResult : EIO, // on Unix it is the kernel's own
        ObjectDisposedException => ESHUTDOWN,
        _ => EIO,
    };
}
