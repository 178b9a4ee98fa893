namespace Ipcmark.Agent;

/// <summary>Threads that carry out requests, some of them beforehand: later it may not be possible to start one.</summary>
internal sealed class Workers
{
    private const int Beforehand = 8;

    private readonly Queue<Action> _waiting = new(); // and the lock of what follows
    private int _idle = Beforehand;

    public Workers()
    {
        for (int i = 0; i < Beforehand; i++)
            Threads.Start("worker", Run);
    }

    /// <summary>Throws OutOfMemoryException if all are busy and no further can be started.</summary>
    public void Do(Action work)
    {
        lock (_waiting)
        {
            if (_idle > 0)
                _idle--;
            else
                Threads.Start("worker", Run);
            _waiting.Enqueue(work);
            Monitor.Pulse(_waiting);
        }
    }

    private void Run()
    {
        do
            Take()();
        while (IsToStay());
    }

    private Action Take()
    {
        lock (_waiting)
        {
            while (_waiting.Count == 0)
                Monitor.Wait(_waiting);
            return _waiting.Dequeue();
        }
    }

    private bool IsToStay()
    {
        lock (_waiting)
        {
            if (_idle == Beforehand)
                return false;
            _idle++;
            return true;
        }
    }
}
