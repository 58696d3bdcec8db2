using System.Diagnostics.CodeAnalysis;

namespace LumaGateway.Tests.Simulation;

/// <summary>An operation of a caller or a fault, at a time.</summary>
/// <param name="At">When it begins.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Replica">The index of the replica.</param>
/// <param name="Key">The index of the generation or of the idempotency key.</param>
/// <param name="Length">How long a fault lasts, or a caller waits before it disconnects; zero if it does not disconnect.</param>
internal sealed record Operation(TimeSpan At, OperationKind Kind, int Replica, int Key, TimeSpan Length)
{
    /// <summary>How long a waiting caller waits for a final state, whole seconds.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Whether it is in effect at any time between the two, by the clock of the run, which is a second ahead of the schedule.</summary>
    public bool IsWithin(TimeSpan from, TimeSpan to) => At + TimeSpan.FromSeconds(1) <= to && At + Length + TimeSpan.FromSeconds(1) >= from;
}

internal enum OperationKind
{
    Read,
    Wait,
    Poll,
    Purge,
    PutListed,
    Create,
    ReadCreated,
    RedisDown,
    RepliesLost,
    ReadOnly,
    RedisSlow,
    ConnectionSlow,
    MessagesLost,
    Evict,
    Failover,
    Pause,
    Crash,
    UpstreamFails,
    UpstreamSlow,
    AccountRefuses,
}

/// <summary>The operations of a run and the history of its upstream, made from a seed.</summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed record Schedule(int Seed, int Replicas, IReadOnlyList<Operation> Operations, IReadOnlyList<(TimeSpan ExistsFrom, TimeSpan FinalFrom, TimeSpan? DeletedFrom)> Generations)
{
    public const int Keys = 2;

    /// <summary>The difference of clocks that the cache allows.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(2);

    public static readonly TimeSpan Length = TimeSpan.FromSeconds(20);

    /// <summary>Whether the clock may advance while work is ready, as on a slow machine. A step of Redis can time out then.</summary>
    public bool HasLag => Seed % 2 == 0;

    /// <summary>Whether the wall clocks of the replicas differ, by less than <see cref="MaxClockSkew"/>.</summary>
    public bool HasClockSkew => Seed % 5 == 0;

    /// <summary>The number of upstream accounts.</summary>
    public int Accounts => Seed % 3 == 0 ? 1 : 2;

    /// <summary>When the last fault has ended.</summary>
    public TimeSpan Calm => Operations.Select(operation => operation.At + operation.Length + operation.Wait).Append(Length).Max();

    public static Schedule Of(int seed)
    {
        var random = new Random(seed ^ 0x5eed);
        (TimeSpan ExistsFrom, TimeSpan FinalFrom, TimeSpan? DeletedFrom)[] generations = [.. Enumerable.Range(0, Keys).Select(_ => Generation())];

        // Most calls, and half of the faults, are close together, so that they meet; many when a generation appears or is deleted.
        TimeSpan[] bursts = [.. Enumerable.Range(0, random.Next(0, 2)).Select(_ => Time(Length)), Before(generations[0].ExistsFrom), .. generations[0].DeletedFrom is { } end ? [Before(end)] : Array.Empty<TimeSpan>()];
        var isFocused = random.Next(2) == 0; // half of the calls on one replica, and all about one generation
        var purges = random.Next(2) == 0;
        var waits = random.Next(3) > 0;
        var lists = isFocused || random.Next(2) == 0 ? 4 : 1; // of twelve calls
        var operations = Enumerable.Range(0, random.Next(10, 40)).Select(_ => NewCall()).ToList();
        if (random.Next(5) > 0)
        {
            operations.AddRange(Enumerable.Range(0, random.Next(1, 5)).Select(_ => new Operation(random.Next(2) == 0 ? Time(Length) : CallTime(), Fault(), random.Next(3), random.Next(Keys), Time(TimeSpan.FromSeconds(5)))));
        }

        return new Schedule(seed, random.Next(2, 4), [.. operations.OrderBy(operation => operation.At)], generations);

        TimeSpan Time(TimeSpan limit) => TimeSpan.FromMilliseconds(random.Next((int)limit.TotalMilliseconds));

        // Half of the calls are before the time, half after it: an operation begins a second after its time.
        TimeSpan Before(TimeSpan time) => time < TimeSpan.FromSeconds(3) ? TimeSpan.Zero : time - TimeSpan.FromSeconds(3);

        TimeSpan CallTime() => random.Next(4) == 0 ? Time(Length) : bursts[random.Next(bursts.Length)] + Time(TimeSpan.FromSeconds(4));

        int Replica() => isFocused && random.Next(2) == 0 ? 0 : random.Next(3);

        OperationKind Fault() => random.Next(4) == 0 ? OperationKind.MessagesLost : (OperationKind)random.Next((int)OperationKind.RedisDown, (int)OperationKind.AccountRefuses + 1);

        Operation NewCall()
        {
            var kind = Call();
            var patience = (kind is OperationKind.Read or OperationKind.Wait) && random.Next(4) == 0 ? Time(TimeSpan.FromSeconds(3)) : TimeSpan.Zero;
            return new Operation(CallTime(), kind, Replica(), kind is OperationKind.Create or OperationKind.ReadCreated ? random.Next(6) : !isFocused && random.Next(4) == 0 ? 1 : 0, patience) { Wait = kind is OperationKind.Wait ? TimeSpan.FromSeconds(random.Next(3) == 0 ? 25 : random.Next(1, 10)) : TimeSpan.Zero };
        }

        OperationKind Call() => random.Next(12) switch
        {
            var call when call < lists => OperationKind.PutListed,
            4 or 10 or 11 when purges => OperationKind.Purge,
            5 => OperationKind.Create,
            9 => OperationKind.ReadCreated,
            6 => OperationKind.Poll,
            7 or 8 when waits => OperationKind.Wait,
            _ => OperationKind.Read,
        };

        (TimeSpan, TimeSpan, TimeSpan?) Generation()
        {
            var existsFrom = random.Next(6) == 0 ? TimeSpan.Zero : Time(TimeSpan.FromSeconds(8));
            var finalFrom = existsFrom + Time(random.Next(3) > 0 ? TimeSpan.FromMilliseconds(300) : TimeSpan.FromSeconds(8));
            return (existsFrom, finalFrom, random.Next(3) == 0 ? finalFrom + Time(TimeSpan.FromSeconds(random.Next(3) switch { 0 => 0.5, 1 => 2, _ => 8 })) : null);
        }
    }

    public bool Has(params ReadOnlySpan<OperationKind> kinds)
    {
        foreach (var operation in Operations)
        {
            if (kinds.Contains(operation.Kind))
            {
                return true;
            }
        }

        return false;
    }

    public override string ToString() => $"seed {Seed}, {Replicas} replicas\n" + string.Join('\n', Operations.Select(operation => $"  {operation}"));
}
