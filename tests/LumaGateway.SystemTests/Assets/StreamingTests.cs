using System.Globalization;
using System.Text.Json;

namespace LumaGateway.SystemTests.Assets;

/// <summary>Large files through the gateway. What slow readers cost in memory is measured in the endurance suite.</summary>
public sealed class StreamingTests(StreamingTests.Gateway fixture) : IClassFixture<StreamingTests.Gateway>
{
    private const int FileLength = 16 * 1024 * 1024; // more than sockets keep for a reader
    private const int SlowReaders = 10;

    private static readonly Uri Video = new("/generations/done-1/video", UriKind.Relative);

    private readonly HttpClient _client = fixture.Process.Client;

    [Fact]
    public async Task A_proxy_in_the_environment_is_not_used_and_a_large_file_comes_whole()
    {
        var generation = JsonDocument.Parse(await fixture.Process.ReadAsync("done-1")).RootElement;
        using var direct = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Wait.Patience };
        var expected = await direct.GetByteArrayAsync(generation.GetProperty("video").GetProperty("url").GetString(), TestContext.Current.CancellationToken);

        var bytes = await _client.GetByteArrayAsync(Video, TestContext.Current.CancellationToken);

        Assert.Equal(FileLength, bytes.Length);
        Assert.True(expected.AsSpan().SequenceEqual(bytes), "The file is not the upstream's.");
    }

    [Fact]
    public async Task Readers_that_do_not_go_on_reading_hold_up_nobody_else()
    {
        var slow = await Task.WhenAll(Enumerable.Range(0, SlowReaders).Select(_ => _client.GetStreamAsync(Video, TestContext.Current.CancellationToken)));
        foreach (var stream in slow)
        {
            await stream.ReadExactlyAsync(new byte[1024], TestContext.Current.CancellationToken);
        }

        var bytes = await _client.GetByteArrayAsync(Video, TestContext.Current.CancellationToken);

        Assert.Equal(FileLength, bytes.Length);
        Array.ForEach(slow, stream => stream.Dispose());
    }

    /// <summary>The upstream is read past the proxy, by its address; the file's host has a name, to which nothing says that.</summary>
    public sealed class Gateway : IAsyncLifetime
    {
        private SandboxProcess _sandbox = null!;

        internal GatewayProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var port = FreePort.Lasting();
            _sandbox = await SandboxProcess.StartAsync(
                string.Create(CultureInfo.InvariantCulture, $"--Sandbox:AssetBytes={FileLength}"), $"--urls=http://127.0.0.1:{port}", $"--Sandbox:PublicUrl=http://localhost:{port}");
            Process = await GatewayProcess.StartAsync(new Dictionary<string, string>(Fleet.SettingsFor(_sandbox, redis: null))
            {
                ["Assets:AllowHttp"] = "true",
                ["Assets:AllowedHosts:0"] = $"localhost:{port}",
                ["Assets:AllowedNetworks:0"] = "127.0.0.0/8",
                ["Assets:AllowedNetworks:1"] = "::1/128",
                ["http_proxy"] = "http://127.0.0.1:9",
                ["no_proxy"] = "127.0.0.1",
            });
        }

        public async ValueTask DisposeAsync()
        {
            await Process.DisposeAsync();
            await _sandbox.DisposeAsync();
        }
    }
}
