using System.Net;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A replica of the gateway in its own process, configured by environment variables, by default on a free port. Missing settings have the suite's defaults.
/// Disposal fails the test if the output contains a secret of the settings.
/// </summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    /// <summary>The key of the client <c>system-tests</c>, which has every permission.</summary>
    public const string ClientKey = "key-of-the-system-tests";

    private const string Listening = "Now listening on: ";

    private readonly ChildProcess _process;
    private readonly Secrets _secrets;

    private GatewayProcess(ChildProcess process, Uri address, IReadOnlyDictionary<string, string> settings)
    {
        (_process, Address, Settings, _secrets) = (process, address, settings, Secrets.Of(settings));
        Client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 2048, UseProxy = false })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromMinutes(3), // longer than any Luma:Deadline of the suites
        };
        Client.DefaultRequestHeaders.Add("X-Api-Key", ClientKey);
    }

    public Uri Address { get; }

    public IReadOnlyDictionary<string, string> Settings { get; }

    public HttpClient Client { get; }

    public ChildProcess Process => _process;

    public string Log => _process.Everything;

    /// <summary>Starts the process without waiting for it, for tests of invalid settings.</summary>
    public static ChildProcess Launch(IReadOnlyDictionary<string, string> settings, params string[] arguments) =>
        Launch(GatewayProgram.Tested, settings, arguments);

    /// <summary>Starts the process and waits until it is ready. Throws <see cref="PortTakenException"/> if its port is taken.</summary>
    /// <param name="settings">The settings, by key.</param>
    /// <param name="program">The program; null for the tested one.</param>
    public static async Task<GatewayProcess> StartAsync(IReadOnlyDictionary<string, string> settings, GatewayProgram? program = null)
    {
        var process = Launch(program ?? GatewayProgram.Tested, settings);
        try
        {
            var address = await process.ReadAsync(line => line.Contains(Listening, StringComparison.Ordinal) ? line.Split(Listening)[1].Split('"')[0].Trim() : null);
            var gateway = new GatewayProcess(process, new Uri(address), settings);
            await Wait.UntilAsync(gateway.IsReadyAsync, () => $"The gateway did not become ready.\n{gateway.Log}");
            return gateway;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public Task<HttpResponseMessage> GetAsync(string id) =>
        Client.GetAsync(new Uri($"/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>Reads a generation. Fails if the status is not 200.</summary>
    public async Task<string> ReadAsync(string id)
    {
        using var response = await GetAsync(id);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode is HttpStatusCode.OK, $"{id} returned {(int)response.StatusCode}: {body}\n{Log}");
        return body;
    }

    public Task<HttpResponseMessage> PurgeAsync(string id) =>
        Client.DeleteAsync(new Uri($"/generations/{id}/cache", UriKind.Relative), TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
        _secrets.AssertNotIn(Log);
    }

    private static ChildProcess Launch(GatewayProgram program, IReadOnlyDictionary<string, string> settings, params string[] arguments) => program.Start(
        arguments,
        new Dictionary<string, string>(SuiteSettings.Defaults.Where(setting => !settings.ContainsKey(setting.Key)).Concat(settings).Select(setting => new KeyValuePair<string, string>(setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value)))
        {
            ["ASPNETCORE_URLS"] = settings.GetValueOrDefault("ASPNETCORE_URLS", "http://127.0.0.1:0"),
            ["Logging__LogLevel__LumaGateway"] = settings.GetValueOrDefault("Logging:LogLevel:LumaGateway", "Trace"), // logs as much as possible for the search for secrets
            ["DOTNET_TieredPGO"] = "0", // for a faster start
            ["Logging__Console__FormatterName"] = settings.GetValueOrDefault("Logging:Console:FormatterName", "simple"), // for readable test output
        });

    private async Task<bool> IsReadyAsync()
    {
        _process.AssertRuns();
        try
        {
            using var response = await Client.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
