namespace LumaGateway.Features.Health;

/// <summary>
/// <c>health [address]</c>: asks the gateway that runs beside it whether it lives, and exits with 0 if it does, else with 1. What a container's
/// health check runs, where there is no curl.
/// </summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The exit code; null where the arguments are not this command's.</summary>
    public static async Task<int?> TryRunAsync(string[] args, TextWriter errors) => args switch
    {
        ["health"] => await RunAsync(Here(), errors),
        ["health", var address] => await RunAsync(address, errors),
        _ => null,
    };

    private static string Here()
    {
        var ports = Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS")?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return $"http://127.0.0.1:{ports?.FirstOrDefault() ?? "8080"}";
    }

    private static async Task<int> RunAsync(string address, TextWriter errors)
    {
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
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
