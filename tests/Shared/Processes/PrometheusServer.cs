using System.Globalization;
using System.Text.Json;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Prometheus with the rules of infra/, which scrapes the ports every second. Call <see cref="Tool.Require"/> first.</summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    public const string Program = "prometheus";

    private readonly ChildProcess _process;
    private readonly DirectoryInfo _folder;
    private readonly HttpClient _client;

    private PrometheusServer(ChildProcess process, DirectoryInfo folder, Uri address)
    {
        (_process, _folder) = (process, folder);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
    }

    public static Task<PrometheusServer> StartAsync(params int[] ports) => FreePort.UseAsync(async own =>
    {
        var folder = Directory.CreateTempSubdirectory("luma-prometheus-");
        var targets = string.Join(", ", ports.Select(port => $"\"127.0.0.1:{port}\""));
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, "prometheus.yml"),
            (await File.ReadAllTextAsync(Path.Combine(Repository.Root, "infra/prometheus/prometheus.yml"), TestContext.Current.CancellationToken))
                .Replace("\"gateway-1:9090\", \"gateway-2:9090\"", targets, StringComparison.Ordinal)
                .Replace("15s", "1s", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        File.Copy(Path.Combine(Repository.Root, "infra/prometheus/alerts.yml"), Path.Combine(folder.FullName, "alerts.yml"));

        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{own}");
        var process = ChildProcess.Start(
            Program,
            [
                $"--config.file={Path.Combine(folder.FullName, "prometheus.yml")}", $"--storage.tsdb.path={Path.Combine(folder.FullName, "data")}",
                $"--web.listen-address={address}",
            ]);
        var server = new PrometheusServer(process, folder, new Uri($"http://{address}"));
        try
        {
            await process.ReadAsync(line => line.Contains("Server is ready to receive web requests", StringComparison.Ordinal) ? line : null);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    });

    /// <summary>Sends a request to the HTTP API, and returns <c>data</c>. Fails if the request fails.</summary>
    public async Task<JsonElement> QueryAsync(string path)
    {
        using var response = await _client.GetAsync(new Uri("/api/v1/" + path, UriKind.Relative), TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("data");
    }

    /// <summary>The number of series of an expression.</summary>
    public async Task<int> CountAsync(string expression) =>
        (await QueryAsync("query?query=" + Uri.EscapeDataString(expression))).GetProperty("result").GetArrayLength();

    public Task HasAsync(string expression) => Wait.UntilAsync(
        async () => await CountAsync(expression) > 0, () => $"Prometheus has no series for {expression}.\n{_process.Everything}");

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
