using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using LumaGateway.Redis;

namespace LumaGateway.Tests.Simulation;

/// <summary>
/// Runs the callbacks of Polly's circuit breakers in the simulation. Polly queues them for a loop on the thread pool; here the scheduler takes them from the queue. Reads
/// private fields of Polly, and throws if there are none.
/// </summary>
internal sealed class BreakerCallbacks
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private readonly List<object> _queues = [];

    public BreakerCallbacks(RedisResilience resilience)
    {
        foreach (var name in new[] { "_reads", "_writes" })
        {
            var pipeline = typeof(RedisResilience).GetField(name, Members)!.GetValue(resilience)!;
            Replace(pipeline, []);
        }

        if (_queues.Count != 2)
        {
            throw new InvalidOperationException($"Found {_queues.Count} circuit breakers of Polly, not 2.");
        }
    }

    /// <summary>Posts the queued callbacks to the context.</summary>
    public void PostTo(SynchronizationContext context)
    {
        foreach (var queue in _queues)
        {
            while ((int)queue.GetType().GetProperty("Count")!.GetValue(queue)! > 0)
            {
                object?[] arguments = [null];
                queue.GetType().GetMethod("TryDequeue")!.Invoke(queue, arguments);
                var entry = arguments[0]!;
                var start = (Func<Task>)entry.GetType().GetProperty("TaskFactory", Members)!.GetValue(entry)!;
                var completion = (TaskCompletionSource<object>)entry.GetType().GetProperty("TaskCompletion", Members)!.GetValue(entry)!;
                context.Post(
                    async _ =>
                    {
                        await start();
                        completion.SetResult(new object());
                    },
                    null);
            }
        }
    }

    private void Replace(object value, HashSet<object> seen)
    {
        if (!seen.Add(value))
        {
            return;
        }

        if (value is IEnumerable items && value is not string)
        {
            foreach (var item in items)
            {
                Descend(item, seen);
            }
        }

        for (var type = value.GetType(); type is not null; type = type.BaseType)
        {
            foreach (var field in type.GetFields(Members | BindingFlags.DeclaredOnly))
            {
                if (field.FieldType.Name == "ScheduledTaskExecutor")
                {
                    var replacement = RuntimeHelpers.GetUninitializedObject(field.FieldType); // it has no loop
                    var queue = field.FieldType.GetField("_tasks", Members)!;
                    queue.SetValue(replacement, Activator.CreateInstance(queue.FieldType));
                    field.FieldType.GetField("_semaphore", Members)!.SetValue(replacement, new SemaphoreSlim(0));
                    field.SetValue(value, replacement);
                    _queues.Add(queue.GetValue(replacement)!);
                }
                else
                {
                    Descend(field.GetValue(value), seen);
                }
            }
        }
    }

    private void Descend(object? value, HashSet<object> seen)
    {
        if (value is not null && !value.GetType().IsValueType && (value.GetType().Namespace?.StartsWith("Polly", StringComparison.Ordinal) == true || value is Array) && value is not Delegate)
        {
            Replace(value, seen);
        }
    }
}
