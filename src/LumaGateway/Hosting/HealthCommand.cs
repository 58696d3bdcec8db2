namespace LumaGateway.Hosting;

/// <summary>
/// <c>health [address]</c>: asks a gateway for <c>/health/live</c>. The health check of a container runs it, because the image contains no curl.
/// </summary>
internal static class HealthCommand
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The first port of <c>ASPNETCORE_HTTP_PORTS</c> on this machine, else port 8080.</summary>
    public static string DefaultAddress
    {
        get
        {
            var ports = Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS")?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return $"http://127.0.0.1:{ports?.FirstOrDefault() ?? "8080"}";
        }
    }

    /// <param name="address">The gateway's address; its path is replaced.</param>
    /// <param name="errors">Receives the reason for a failure.</param>
    /// <param name="timeout">The limit on the whole request; 2 s if null.</param>
    /// <returns>The exit code: 0 for a successful response, else 1.</returns>
    public static async Task<int> RunAsync(string address, TextWriter errors, TimeSpan? timeout = null)
    {
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = timeout ?? DefaultTimeout };
            using var response = await client.GetAsync(new Uri(new Uri(address), "/health/live"));
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            await errors.WriteLineAsync($"{address} does not respond: {exception.Message}");
            return 1;
        }
    }
}
