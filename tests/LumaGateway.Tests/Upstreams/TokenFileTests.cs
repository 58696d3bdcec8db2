using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Upstreams;

/// <summary>Reloading of the upstream token when its file changes.</summary>
[Collection(RunsAlone.Name)]
public sealed class TokenFileTests : IDisposable
{
    private readonly Gateway _gateway = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-token-");

    public void Dispose()
    {
        _gateway.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_changed_file_is_used_without_a_restart()
    {
        File.WriteAllText(TokenFile, "old-token\n");
        AcceptTokens("old-token", "new-token");
        using var caller = CreateCaller();
        await SendGetAsync(caller, "a");

        File.WriteAllText(TokenFile, "new-token\n");
        await ReadFileAsync();
        await SendGetAsync(caller, "b");

        Assert.Equal("old-token new-token", Sent());
    }

    [Fact]
    public async Task A_swapped_symlink_is_followed_as_Kubernetes_swaps_it()
    {
        foreach (var (version, token) in new[] { ("..v1", "old-token"), ("..v2", "new-token") })
        {
            File.WriteAllText(Path.Combine(_folder.CreateSubdirectory(version).FullName, "token"), token);
        }

        var data = Path.Combine(_folder.FullName, "..data");
        Directory.CreateSymbolicLink(data, "..v1");
        File.CreateSymbolicLink(TokenFile, Path.Combine("..data", "token"));
        AcceptTokens("old-token", "new-token");
        using var caller = CreateCaller();
        await SendGetAsync(caller, "a");

        Directory.CreateSymbolicLink($"{data}_tmp", "..v2");
        Directory.Delete(data);
        Directory.Move($"{data}_tmp", data);
        await ReadFileAsync();
        await SendGetAsync(caller, "b");

        Assert.Equal("old-token new-token", Sent());
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("half of a tok en")]
    [InlineData("one\ntwo\nthree")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public async Task A_file_without_a_token_keeps_the_old_token_and_warns_once(string content)
    {
        File.WriteAllText(TokenFile, "old-token");
        AcceptTokens("old-token");
        using var caller = CreateCaller();

        File.WriteAllText(TokenFile, content);
        await ReadFileAsync();
        await SendGetAsync(caller, "a");

        Assert.Equal("old-token", Sent());
        Assert.Single(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 3002);
    }

    [Fact]
    public async Task A_missing_or_huge_file_keeps_the_old_token()
    {
        File.WriteAllText(TokenFile, "old-token");
        AcceptTokens("old-token");
        using var caller = CreateCaller();

        File.Delete(TokenFile);
        await ReadFileAsync();
        await SendGetAsync(caller, "a");
        File.WriteAllText(TokenFile, new string('x', 1024 * 1024));
        await ReadFileAsync();
        await SendGetAsync(caller, "b");

        Assert.Equal("old-token old-token", Sent());
    }

    [Fact]
    public async Task A_partly_written_file_is_ignored()
    {
        File.WriteAllText(TokenFile, "old-token");
        AcceptTokens("old-token");
        using var caller = CreateCaller();

        // Longer at every read, as by a writer that does not rename a complete file.
        for (var length = 1; length < 9; length++)
        {
            File.WriteAllText(TokenFile, "new-token"[..length]);
            await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(2));
        }

        await SendGetAsync(caller, "a");

        Assert.Equal("old-token", Sent());
    }

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    private HttpClient CreateCaller()
    {
        _gateway.With("Luma:ApiKey", null).With("Luma:ApiKeyFile", TokenFile);
        return _gateway.CreateCaller();
    }

    /// <summary>Advances the clock, so that the gateway reads the file a few times.</summary>
    private Task ReadFileAsync() => _gateway.Clock.RunAsync(TimeSpan.FromSeconds(8));

    private void AcceptTokens(params string[] accepted) => _gateway.Upstream.Always((request, _) => Task.FromResult(
        accepted.Contains(request.Headers.Authorization?.Parameter)
            ? ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))
            : ScriptedUpstream.Json("""{"detail":"no"}""", HttpStatusCode.Unauthorized)));

    private static async Task SendGetAsync(HttpClient caller, string id)
    {
        using var response = await caller.SendGetAsync($"/generations/{id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private string Sent() => string.Join(' ', _gateway.Upstream.Received.Select(request => request.Headers["Authorization"].Replace("Bearer ", "", StringComparison.Ordinal)));
}
