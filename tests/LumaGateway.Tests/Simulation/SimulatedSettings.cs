using System.Globalization;

namespace LumaGateway.Tests.Simulation;

/// <summary>The settings of the replicas.</summary>
internal static class SimulatedSettings
{
    public static readonly TimeSpan MemoryLifetime = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(1);

    /// <summary>Without retries and without the upstream's circuit breaker: each fetch sends one request to each account that it asks.</summary>
    public static IReadOnlyDictionary<string, string?> Of(Schedule schedule, PlantedBug bug)
    {
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings:Redis"] = "redis.test",
            ["Cache:MemoryLifetime"] = $"{(bug is PlantedBug.MemoryIsNotVerified ? TimeSpan.FromMinutes(1) : MemoryLifetime)}",
            ["Luma:Deadline"] = $"{Deadline}",
            ["Luma:AttemptTimeout"] = $"{Deadline}",
            ["Luma:Retries"] = "0",
            ["Luma:BreakerMinimumCalls"] = "10000",
            ["Waiting:PollEvery"] = $"{(bug is PlantedBug.PollsIgnoreInterval ? PollEvery / 4 : PollEvery)}",
            ["Waiting:PollFloor"] = $"{PollEvery / 4}",
            ["Jobs:QueueTimeout"] = "00:00:00", // a create without a slot ends at once
            ["Waiting:ListFrom"] = "1000", // the sweep of lists runs on the thread pool
        };
        for (var index = 0; index < schedule.Accounts; index++)
        {
            var (key, name) = (string.Create(CultureInfo.InvariantCulture, $"Luma:Accounts:{index}"), SimulatedUpstream.AccountOf(index));
            settings[$"{key}:Name"] = name;
            settings[$"{key}:BaseAddress"] = $"https://{name}.test/v1";
            settings[$"{key}:Dialect"] = "dream-machine";
            settings[$"{key}:ApiKey"] = $"token-of-{name}";
            settings[$"{key}:MaxConcurrentJobs"] = string.Create(CultureInfo.InvariantCulture, $"{SimulatedUpstream.MaxConcurrentJobs}");
        }

        return settings;
    }
}
