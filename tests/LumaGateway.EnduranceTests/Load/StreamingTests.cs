using System.Diagnostics;
using System.Globalization;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>The memory that slow readers of a large file use.</summary>
public sealed class StreamingTests(ITestOutputHelper output)
{
    private const long Mebibyte = 1024 * 1024;
    private const long FileLength = 200 * Mebibyte;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(15);
    private static readonly Uri Video = new("/generations/done-1/video", UriKind.Relative);

    [Fact]
    public async Task Fifty_slow_readers_of_a_large_file_use_little_memory()
    {
        await using var sandbox = await StartSandboxAsync(FileLength);
        await using var gateway = await StartGatewayAsync(sandbox);
        await ReadAsync(gateway, 64 * Mebibyte);
        var before = MemoryOf(gateway);

        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var readers = Enumerable.Range(0, 50).Select(_ => ReadSlowlyAsync(gateway, end.Token)).ToList();
        var highest = before;
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Length)
        {
            await Wait.ForAsync(TimeSpan.FromMilliseconds(200));
            highest = Math.Max(highest, MemoryOf(gateway));
        }

        await end.CancelAsync();
        var read = await Task.WhenAll(readers);

        output.WriteLine($"resident memory {before / Mebibyte} MiB before; 50 readers at 320 KiB/s use {Goal.Of((highest - before) / (double)Mebibyte, 100, "MiB more")}; {read.Sum() / Mebibyte} MiB read");
        Assert.All(read, length => Assert.InRange(length, 1, FileLength - 1));
    }

    private static Task<SandboxProcess> StartSandboxAsync(long length) =>
        SandboxProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $"--Sandbox:AssetBytes={length}"));

    private static Task<GatewayProcess> StartGatewayAsync(SandboxProcess sandbox)
    {
        var settings = ReplicaGroup.SettingsFor(sandbox, redis: null);
        settings["Assets:AllowHttp"] = "true";
        settings["Assets:AllowedHosts:0"] = sandbox.Address.Authority;
        settings["Assets:AllowedNetworks:0"] = "127.0.0.0/8";
        return GatewayProcess.StartAsync(settings);
    }

    private static long MemoryOf(GatewayProcess gateway)
    {
        using var process = Process.GetProcessById(gateway.Process.Id);
        return process.WorkingSet64;
    }

    /// <summary>Reads part of the file at full speed, so that one-time allocations are done before the measurement.</summary>
    private static async Task ReadAsync(GatewayProcess gateway, long length)
    {
        await using var stream = await gateway.Client.GetStreamAsync(Video, TestContext.Current.CancellationToken);
        var buffer = new byte[64 * 1024];
        while (length > 0 && await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var read)
        {
            length -= read;
        }
    }

    /// <summary>Reads 64 KiB five times a second until it is cancelled. Returns the number of bytes.</summary>
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
            // The test ended the reader.
        }

        return total;
    }
}
