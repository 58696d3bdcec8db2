using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Accounts;

/// <summary>Two groups and <c>Access:Ownership</c> <c>Group</c>, on accounts of three dialects: a foreign id is handled as an unknown one. Needs redis-server.</summary>
public sealed partial class OwnershipTests
{
    private const string OtherKey = "the-key-of-the-other-team";
    private const string AdminKey = "the-key-of-the-administrator";

    private static readonly (string Method, string Path)[] Routes =
    [
        .. from path in (string[])
           [
               "/generations/{id}", "/generations/{id}/video", "/generations/{id}/image", "/generations/{id}/thumbnail", "/generations/{id}/outputs/0",
               "/generations?ids={id}", "/luma/generations/{id}", "/luma/task/{id}",
           ]
           from method in (string[])["GET", "HEAD"]
           select (method, path),
        ("GET", "/generations/{id}/events"), ("GET", "/generations/events?ids={id}"), ("DELETE", "/generations/{id}"), ("DELETE", "/generations/{id}/cache"), ("POST", "/generations/{id}/ticket"),
        ("DELETE", "/luma/generations/{id}"), ("POST", "/luma/generations/{id}/extend"), ("POST", "/luma/generations/{id}/upscale"), ("POST", "/luma/generations/{id}/audio"),
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_foreign_id_of_any_account_is_handled_as_an_unknown_one_on_every_replica()
    {
        RedisServer.Require();
        await using var system = await AccountSystem.StartAsync(
            [
                ("Access:Ownership", "Group"),
                .. Client(1, "second-team", OtherKey, "read", "raw", "create", "delete", "assets", "purge"),
                .. Client(2, "admin", AdminKey, "read", "raw", "read-all"),
            ]);
        var foreign = new Dictionary<string, string>
        {
            ["relay"] = await CreateAsync(system.Group.Replicas[0], "/luma/generations", null),
            ["dream-machine"] = await CreateAsync(system.Group.Replicas[1], "/luma/generations/video", null),
            ["agents"] = await CreateAsync(system.Group.Replicas[2], "/luma/generations", "agents"),
            ["POST /generations"] = await CreateAsync(system.Group.Replicas[0], "/generations", null),
        };
        foreach (var id in foreign.Values)
        {
            foreach (var key in (string[])[OtherKey, AdminKey])
            {
                Assert.StartsWith("200", await SendAsync(system.Group.Replicas[0], key, "GET", "/generations/{id}", id), StringComparison.Ordinal); // and now it is in the cache
            }
        }

        await Task.WhenAll(system.Sandboxes.Values.Select(sandbox => sandbox.ResetCountsAsync()));
        var compared = 0;
        foreach (var replica in system.Group.Replicas)
        {
            foreach (var (method, path) in Routes)
            {
                var unknown = await SendAsync(replica, GatewayProcess.ClientKey, method, path, Guid.NewGuid().ToString());
                foreach (var (dialect, id) in foreign)
                {
                    Assert.True(unknown == await SendAsync(replica, GatewayProcess.ClientKey, method, path, id), $"{method} {path} differs for {dialect}: {unknown}");
                    compared++;
                }
            }
        }

        var own = await CreateAsync(system.Group.Replicas[1], "/generations", null, GatewayProcess.ClientKey);
        Assert.StartsWith("200", await SendAsync(system.Group.Replicas[2], GatewayProcess.ClientKey, "GET", "/generations/{id}", own), StringComparison.Ordinal);
        Assert.StartsWith("404", await SendAsync(system.Group.Replicas[2], OtherKey, "DELETE", "/generations/{id}", own), StringComparison.Ordinal);
        foreach (var sandbox in system.Sandboxes.Values)
        {
            Assert.DoesNotContain((await sandbox.CountsAsync()).ById.Keys, foreign.ContainsValue); // the upstream was not asked, and nothing was deleted
        }

        Assert.StartsWith("200", await SendAsync(system.Group.Replicas[2], OtherKey, "GET", "/luma/generations/{id}", foreign["dream-machine"]), StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage($"{Routes.Length} routes and methods, {foreign.Count} generations of 3 dialects, 3 replicas: {compared} comparisons, all equal.");
    }

    private static IEnumerable<(string Key, string Value)> Client(int index, string name, string key, params string[] permissions) =>
    [
        ($"Access:Clients:{index}:Name", name), ($"Access:Clients:{index}:KeySha256", ReplicaGroup.DigestOf(key)),
        .. permissions.Select((permission, i) => ($"Access:Clients:{index}:Rights:{i}", permission)),
    ];

    private static async Task<string> CreateAsync(GatewayProcess replica, string path, string? account, string key = OtherKey)
    {
        using var request = RequestOf(key, HttpMethod.Post, path);
        var body = path.EndsWith("/video", StringComparison.Ordinal) ? """{"prompt":"a cat","model":"ray-2"}""" : account is null && path != "/generations" ? """{"user_prompt":"a cat"}""" : """{"prompt":"a cat"}""";
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (account is not null)
        {
            request.Headers.Add("X-Luma-Account", account);
        }

        using var response = await replica.Client.SendAsync(request, Cancelled);
        Assert.True(response.IsSuccessStatusCode, $"The create returned {(int)response.StatusCode}.");
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("id").GetString()!;
    }

    /// <summary>Status, headers and body, without what differs between two requests for one id.</summary>
    private static async Task<string> SendAsync(GatewayProcess replica, string key, string method, string path, string id)
    {
        using var request = RequestOf(key, new HttpMethod(method), path.Replace("{id}", id, StringComparison.Ordinal));
        if (method is "POST")
        {
            request.Content = JsonContent.Create(new { prompt = "a cat" });
        }

        using var response = await replica.Client.SendAsync(request, Cancelled);
        var headers = response.Headers.Concat(response.Content.Headers).Where(static header => header.Key is not ("Date" or "X-Request-ID"));
        var text = $"{(int)response.StatusCode}\n{string.Join('\n', headers.Select(static header => $"{header.Key}: {string.Join(',', header.Value)}").Order())}\n{await response.Content.ReadAsStringAsync(Cancelled)}";
        return Requests().Replace(text.Replace(id, "{id}", StringComparison.OrdinalIgnoreCase), "");
    }

    [GeneratedRegex("""
        "(request_id|trace_id)":\s*("[^"]*"|null)
        """)]
    private static partial Regex Requests();

    private static HttpRequestMessage RequestOf(string key, HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Add("X-Api-Key", key); // replaces that of the client
        return request;
    }
}
