namespace Ipcmark.Agent;

/// <summary>Threads of our own: those of the framework's pool come and go as it likes, and a clause counts them. A thread
/// needs a descriptor for a moment when it starts; where there is none, starting it is an OutOfMemoryException.</summary>
public static class Threads
{
    private const int StackBytes = 512 << 10;
    private const int AgainMs = 20;

    public static Thread Start(string name, Action body)
    {
        var thread = new Thread(() => body(), StackBytes) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    /// <summary>Tries again until it can be started. Null: it is not wanted any more.</summary>
    public static Thread? StartPatiently(string name, Action body, Func<bool> wanted)
    {
        while (wanted())
        {
            try
            {
                return Start(name, body);
            }
            catch (Exception problem) when (problem is OutOfMemoryException or ThreadStartException)
            {
                Thread.Sleep(AgainMs);
            }
        }
        return null;
    }
}
