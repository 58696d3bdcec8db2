using System.Reflection;

namespace LumaGateway.Tests.Simulation;

/// <summary>
/// Counts the continuations that tasks run on the thread pool. If a task has RunContinuationsAsynchronously, Task.WaitAsync and Task.WhenAny continue there after it. Reads a private
/// field of Task.
/// </summary>
internal sealed class ThreadPoolWork
{
    private static readonly FieldInfo Continuations = typeof(Task).GetField("m_continuationObject", BindingFlags.Instance | BindingFlags.NonPublic)!;
    private static readonly Type Action = typeof(Task).Assembly.GetType("System.Threading.Tasks.ITaskCompletionAction", throwOnError: true)!;

    private readonly List<(Task Task, int Count)> _tasks = [];

    /// <summary>Whether a task that nothing awaits has a continuation.</summary>
    public static bool HasContinuation(Task task) => !task.IsCompleted && Continuations.GetValue(task) is not null;

    /// <summary>Watches a task from now on.</summary>
    public void Watch(Task task)
    {
        if (!task.IsCompleted && !_tasks.Exists(watched => watched.Task == task))
        {
            _tasks.Add((task, 0));
        }
    }

    /// <summary>To be called after each step: the number of continuations that run on the thread pool since then.</summary>
    public int TakeStarted()
    {
        var started = 0;
        for (var index = _tasks.Count - 1; index >= 0; index--)
        {
            var (task, count) = _tasks[index];
            if (task.IsCompleted)
            {
                started += count;
                _tasks.RemoveAt(index);
            }
        }

        return started;
    }

    /// <summary>To be called before each step.</summary>
    public void Count()
    {
        for (var index = 0; index < _tasks.Count; index++)
        {
            var task = _tasks[index].Task;
            _tasks[index] = (task, Continuations.GetValue(task) switch
            {
                List<object?> several => several.Count(static one => Action.IsInstanceOfType(one)),
                var one => Action.IsInstanceOfType(one) ? 1 : 0,
            });
        }
    }
}
