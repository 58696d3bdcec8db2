using System.Diagnostics;
using System.Globalization;

namespace LumaGateway.SystemTests.Assets;

/// <summary>Large files through the gateway: whole, and without the gateway growing.</summary>
[TestClass(DisableParallelization = true)]
public sealed class StreamingTests
{
    private const long Mebibyte = 1024 * 1024;
    private const long FileLength = 200 * Mebibyte;

    private static readonly Uri Video = new("/generations/done-1/video", UriKind.Relative);

    [Fact]
    public async Task Fifty_slow_readers_of_a_large_file_cost_no_memory()
    {
        await using var sandbox = await StartSandboxAsync(FileLength);
        await using var gateway = await StartGatewayAsync(sandbox);
        await ReadAsync(gateway, 64 * Mebibyte);
        var before = MemoryOf(gateway);

        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var readers = Enumerable.Range(0, 50).Select(_ => ReadSlowlyAsync(gateway, end.Token)).ToList();
        var highest = before;
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < Size.Seconds(inCi: 5, inFull: 30))
        {
            await Wait.ForAsync(TimeSpan.FromMilliseconds(200));
            highest = Math.Max(highest, MemoryOf(gateway));
        }

        await end.CancelAsync();
        var read = await Task.WhenAll(readers);

        TestContext.Current.TestOutputHelper?.WriteLine($"before {before / Mebibyte} MiB, highest {highest / Mebibyte} MiB; {read.Sum() / Mebibyte} MiB read by 50");
        Assert.All(read, length => Assert.InRange(length, 1, FileLength - 1));
        Assert.InRange(highest - before, long.MinValue, 100 * Mebibyte);
    }

    [Fact]
    public async Task A_proxy_in_the_environment_is_not_used()
    {
        // The upstream is read past the proxy, by its address; the file's host has a name, to which nothing says that.
        var port = FreePort.Lasting();
        await using var sandbox = await SandboxProcess.StartAsync(
            "--Sandbox:AssetBytes=1000", $"--urls=http://127.0.0.1:{port}", $"--Sandbox:PublicUrl=http://localhost:{port}");
        await using var gateway = await StartGatewayAsync(
            sandbox, ("http_proxy", "http://127.0.0.1:9"), ("no_proxy", "127.0.0.1"), ("Assets:AllowedHosts:1", $"localhost:{port}"), ("Assets:AllowedNetworks:1", "::1/128"));

        var bytes = await gateway.Client.GetByteArrayAsync(Video, TestContext.Current.CancellationToken);

        Assert.Equal(1000, bytes.Length);
    }

    private static Task<SandboxProcess> StartSandboxAsync(long length) =>
        SandboxProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $"--Sandbox:AssetBytes={length}"));

    private static Task<GatewayProcess> StartGatewayAsync(SandboxProcess sandbox, params (string Key, string Value)[] more)
    {
        var settings = Fleet.SettingsFor(sandbox, redis: null);
        settings["Assets:AllowHttp"] = "true";
        settings["Assets:AllowedHosts:0"] = sandbox.Address.Authority;
        settings["Assets:AllowedNetworks:0"] = "127.0.0.0/8";
        foreach (var (key, value) in more)
        {
            settings[key] = value;
        }

        return GatewayProcess.StartAsync(settings);
    }

    private static long MemoryOf(GatewayProcess gateway)
    {
        using var process = Process.GetProcessById(gateway.Process.Id);
        return process.WorkingSet64;
    }

    /// <summary>So much of the file, as fast as it comes: whatever is allocated once is then allocated.</summary>
    private static async Task ReadAsync(GatewayProcess gateway, long length)
    {
        await using var stream = await gateway.Client.GetStreamAsync(Video, TestContext.Current.CancellationToken);
        var buffer = new byte[64 * 1024];
        while (length > 0 && await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var read)
        {
            length -= read;
        }
    }

    /// <summary>64 KiB five times a second, until it is told to stop.</summary>
    private static async Task<long> ReadSlowlyAsync(GatewayProcess gateway, CancellationToken end)
    {
        var total = 0L;
        try
        {
            await using var stream = await gateway.Client.GetStreamAsync(Video, end);
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer, end) is > 0 and var read)
            {
                total += read;
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, end);
            }
        }
        catch (OperationCanceledException)
        {
            // It was told to.
        }

        return total;
    }
}
