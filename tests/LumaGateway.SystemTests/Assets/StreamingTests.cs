using System.Globalization;
using System.Text.Json;

namespace LumaGateway.SystemTests.Assets;

/// <summary>Downloads of large files. The endurance suite measures the memory that slow readers use.</summary>
public sealed class StreamingTests(StreamingTests.Gateway fixture) : IClassFixture<StreamingTests.Gateway>
{
    private const int FileLength = 16 * 1024 * 1024; // more than the buffers of a socket
    private const int SlowReaders = 10;

    private static readonly Uri Video = new("/generations/done-1/video", UriKind.Relative);

    private readonly HttpClient _client = fixture.Process.Client;

    [Fact]
    public async Task A_large_file_is_sent_whole_without_the_proxy_of_the_environment()
    {
        var generation = JsonDocument.Parse(await fixture.Process.ReadAsync("done-1")).RootElement;
        using var direct = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Wait.Timeout };
        var expected = await direct.GetByteArrayAsync(generation.GetProperty("video").GetProperty("url").GetString(), TestContext.Current.CancellationToken);

        var bytes = await _client.GetByteArrayAsync(Video, TestContext.Current.CancellationToken);

        Assert.Equal(FileLength, bytes.Length);
        Assert.True(expected.AsSpan().SequenceEqual(bytes), "The file differs from the upstream's file.");
    }

    [Fact]
    public async Task Readers_that_stop_reading_do_not_block_others()
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

    /// <summary>The environment names a proxy that does not exist. <c>no_proxy</c> excludes the upstream's address, and not the file's host name.</summary>
    public sealed class Gateway : IAsyncLifetime
    {
        private SandboxProcess _sandbox = null!;

        internal GatewayProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var port = FreePort.Reserve();
            _sandbox = await SandboxProcess.StartAsync(
                string.Create(CultureInfo.InvariantCulture, $"--Sandbox:AssetBytes={FileLength}"), $"--urls=http://127.0.0.1:{port}", $"--Sandbox:PublicUrl=http://localhost:{port}");
            Process = await GatewayProcess.StartAsync(new Dictionary<string, string>(ReplicaGroup.SettingsFor(_sandbox, redis: null))
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
