using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace LumaGateway.SystemTests.Accounts;

/// <summary>Three replicas, one Redis, and four upstream accounts of three dialects: each account is a sandbox process, which counts the requests that it gets.</summary>
internal sealed class AccountSystem : IAsyncDisposable
{
    /// <summary>The accounts in the order of the settings. The first two share a dialect and get three quarters and one quarter of its creates.</summary>
    private static readonly (string Name, string Dialect, string Root, int Weight)[] Accounts =
    [
        ("relay-a", "relay", "luma", 3), ("relay-b", "relay", "luma", 1), ("dream", "dream-machine", "dream-machine/v1", 1), ("agents", "agents", "agents/v1", 1),
    ];

    private AccountSystem(RedisServer redis, IReadOnlyDictionary<string, SandboxProcess> sandboxes, ReplicaGroup group) => (Redis, Sandboxes, Group) = (redis, sandboxes, group);

    public RedisServer Redis { get; }

    public IReadOnlyDictionary<string, SandboxProcess> Sandboxes { get; }

    public ReplicaGroup Group { get; }

    public static async Task<AccountSystem> StartAsync(params (string Key, string Value)[] settings)
    {
        var redis = RedisServer.StartAsync();
        var sandboxes = await Task.WhenAll(Accounts.Select(static _ => SandboxProcess.StartAsync("--Sandbox:PublicUrl=http://assets.test")));
        var all = new List<(string, string)>
        {
            ("Luma:BaseAddress", ""), ("Luma:ApiKey", ""), ("Luma:Name", ""), ("Luma:Retries", "0"),
        };
        for (var i = 0; i < Accounts.Length; i++)
        {
            var (name, dialect, root, weight) = Accounts[i];
            all.AddRange(
            [
                ($"Luma:Accounts:{i}:Name", name), ($"Luma:Accounts:{i}:Dialect", dialect), ($"Luma:Accounts:{i}:BaseAddress", new Uri(sandboxes[i].Address, root).AbsoluteUri),
                ($"Luma:Accounts:{i}:ApiKey", SandboxProcess.Token), ($"Luma:Accounts:{i}:Weight", weight.ToString(CultureInfo.InvariantCulture)),
            ]);
        }

        all.AddRange(settings);
        var group = await ReplicaGroup.StartAsync(sandboxes[0], 3, (await redis).Endpoint, [.. all]);
        return new AccountSystem(await redis, Accounts.Zip(sandboxes).ToDictionary(pair => pair.First.Name, pair => pair.Second), group);
    }

    /// <summary>Creates a generation. Returns its id; null if the replica did not respond.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="kind">0: a relay account by weight; 1: the account of Dream Machine by its path; 2: the account of the Agents API by its name.</param>
    public static async Task<string?> CreateAsync(GatewayProcess replica, int kind)
    {
        var (path, body) = kind switch
        {
            0 => ("/luma/generations", """{"user_prompt":"a cat"}"""),
            1 => ("/luma/generations/video", """{"prompt":"a cat","model":"ray-2"}"""),
            _ => ("/luma/generations", """{"prompt":"a cat"}"""),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (kind is 2)
        {
            request.Headers.Add("X-Luma-Account", "agents");
        }

        using var response = await SendAsync(replica, request);
        if (response is null)
        {
            return null;
        }

        Assert.True(response.IsSuccessStatusCode, $"A create returned {(int)response.StatusCode}.");
        return (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString();
    }

    /// <summary>Returns null if the replica was killed.</summary>
    public static async Task<HttpResponseMessage?> SendAsync(GatewayProcess replica, HttpRequestMessage request)
    {
        try
        {
            return await replica.Client.SendAsync(request, TestContext.Current.CancellationToken);
        }
        catch (HttpRequestException exception)
        {
            await Wait.UntilAsync(() => replica.Process.HasExited, () => $"The replica runs, but a request to it failed: {exception.Message}");
            return null;
        }
    }

    /// <summary>Reads that reached an account which did not create the generation.</summary>
    public async Task<IReadOnlyList<string>> WrongReadsAsync(IEnumerable<string> ids)
    {
        var known = ids.ToHashSet(StringComparer.Ordinal);
        var askedAt = new ConcurrentBag<(string Id, string Account)>();
        foreach (var (name, sandbox) in Sandboxes)
        {
            foreach (var id in (await sandbox.CountsAsync()).ById.Keys.Where(known.Contains))
            {
                askedAt.Add((id, name));
            }
        }

        var wrong = new List<string>();
        foreach (var (id, account) in askedAt)
        {
            using var response = await Sandboxes[account].GenerationAsync(id);
            if (response.StatusCode is not HttpStatusCode.OK)
            {
                wrong.Add($"{id} at {account}");
            }
        }

        return wrong;
    }

    /// <summary>The creates that an account got, over all paths.</summary>
    public async Task<long> CreatesAsync(string account) =>
        (await Sandboxes[account].CountsAsync()).ByPath.Where(static count => count.Key.StartsWith("POST ", StringComparison.Ordinal)).Sum(static count => count.Value);

    public async ValueTask DisposeAsync()
    {
        await Group.DisposeAsync();
        foreach (var sandbox in Sandboxes.Values)
        {
            await sandbox.DisposeAsync();
        }

        await Redis.DisposeAsync();
    }
}
