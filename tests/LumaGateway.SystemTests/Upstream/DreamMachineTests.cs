using System.Net;
using LumaGateway.SystemTests.Redis;
using LumaGateway.SystemTests.Waiting;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>Two replicas with an upstream that supports a list and deletes. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class DreamMachineTests(DreamMachineTests.Replicas fixture) : IClassFixture<DreamMachineTests.Replicas>
{
    private const string List = "GET /dream-machine/v1/generations";

    private readonly SandboxProcess _sandbox = fixture.Group.Sandbox;
    private readonly IReadOnlyList<GatewayProcess> _replicas = fixture.Group.Replicas;

    [Fact]
    public async Task Many_generations_are_polled_with_the_list_and_waiters_get_each_end()
    {
        string[] ids = [.. Enumerable.Range(0, 12).Select(i => $"listed-{i}")];
        foreach (var id in ids)
        {
            await _sandbox.SetStateAsync(id, "processing");
        }

        var waiters = await Waiters.ConnectAsync(2 * ids.Length, i => (_replicas[i % 2].Address, $"/generations/{ids[i / 2]}/events", null));
        await Waiters.AssertReceivedAsync(waiters, "processing");
        await WaitForListsAsync(more: 1);
        var before = await SinglePollsAsync(ids);
        await Task.WhenAll(_replicas.Select(PauseAsync)); // as on a busy machine: the list is used on
        await WaitForListsAsync(more: 3);
        Assert.InRange(await SinglePollsAsync(ids) - before, 0, 2 * ids.Length); // without the list it would be three polls for each

        foreach (var id in ids)
        {
            await _sandbox.SetStateAsync(id, "completed");
        }

        await Waiters.AssertReceivedAsync(waiters, "completed");
        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task A_delete_through_one_replica_is_effective_on_all()
    {
        const string Id = "done-deleted";
        foreach (var replica in _replicas)
        {
            await replica.ReadAsync(Id);
        }

        await _sandbox.AddFaultAsync(new SandboxFault("status") { Status = 404, Match = $"GET */generations/{Id}" });
        using var deleted = await _replicas[0].Client.DeleteAsync(new Uri($"/luma/generations/{Id}", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        foreach (var replica in _replicas)
        {
            await Wait.UntilAsync(
                async () =>
                {
                    using var response = await replica.GetAsync(Id);
                    return response.StatusCode is HttpStatusCode.NotFound;
                },
                () => "A replica still serves the deleted generation.");
        }
    }

    /// <summary>Pauses a replica for longer than three intervals.</summary>
    private static async Task PauseAsync(GatewayProcess replica)
    {
        replica.Process.Pause();
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5));
        replica.Process.Resume();
    }

    private async Task<long> SinglePollsAsync(IEnumerable<string> ids)
    {
        var counts = (await _sandbox.CountsAsync()).ById;
        return ids.Sum(id => counts.GetValueOrDefault(id));
    }

    private async Task WaitForListsAsync(int more)
    {
        var before = await ListsAsync();
        await Wait.UntilAsync(async () => await ListsAsync() >= before + more, () => "The list is not requested.");

        async Task<long> ListsAsync() => (await _sandbox.CountsAsync()).ByPath.GetValueOrDefault(List);
    }

    public sealed class Replicas(SharedSystem shared) : IAsyncLifetime
    {
        internal ReplicaGroup Group { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            // A separate sandbox, because its list contains the generations of all tests.
            Group = await ReplicaGroup.StartAsync(0, shared.Redis.Endpoint, ("Luma:Dialect", "dream-machine"), ("Luma:MaxPollsPerSecond", "1000"), ("Waiting:PollEvery", "00:00:00.4"), ("Waiting:PollFloor", "00:00:00.2"));
            var root = new Uri(Group.Sandbox.Address, "dream-machine/v1").AbsoluteUri;
            await Task.WhenAll(Group.AddAsync(("Luma:BaseAddress", root)), Group.AddAsync(("Luma:BaseAddress", root)));
            await RedisUse.WaitUntilUsedAsync(Group);
        }

        public ValueTask DisposeAsync() => Group.DisposeAsync();
    }
}
