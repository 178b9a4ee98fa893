namespace Ipcmark.Agent;

/// <summary>Threads of our own: those of the framework's pool come and go as it likes, and a clause counts
/// them.</summary>
public static class Threads
{
    private const int StackBytes = 512 << 10;

    public static Thread Start(string name, Action body)
    {
        var thread = new Thread(() => body(), StackBytes) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }
}
