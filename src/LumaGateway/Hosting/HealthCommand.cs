namespace LumaGateway.Hosting;

/// <summary>
/// <c>health [address]</c>: asks the gateway that runs beside it whether it lives, and exits with 0 if it does, else with 1. What a container's
/// health check runs, where there is no curl.
/// </summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The exit code; null where the arguments are not this command's.</summary>
    public static Task<int?> TryRunAsync(string[] args, TextWriter errors) => TryRunAsync(args, errors, Patience);

    /// <param name="args">The program's arguments.</param>
    /// <param name="errors">Where it says why the gateway does not live.</param>
    /// <param name="timeout">How long the gateway may take to answer.</param>
    internal static async Task<int?> TryRunAsync(string[] args, TextWriter errors, TimeSpan timeout) => args switch
    {
        ["health"] => await RunAsync(Here(), errors, timeout),
        ["health", var address] => await RunAsync(address, errors, timeout),
        _ => null,
    };

    private static string Here()
    {
        var ports = Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS")?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return $"http://127.0.0.1:{ports?.FirstOrDefault() ?? "8080"}";
    }

    private static async Task<int> RunAsync(string address, TextWriter errors, TimeSpan timeout)
    {
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = timeout };
            using var answer = await client.GetAsync(new Uri(new Uri(address), "/health/live"));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            await errors.WriteLineAsync($"{address} does not answer: {fault.Message}");
            return 1;
        }
    }
}
