using System.Net;
using System.Net.Security;
using LumaGateway.Configuration;

namespace LumaGateway.Hosting;

/// <summary>
/// <c>health [address]</c>: asks a gateway for <c>/health/live</c>. The health check of a container runs it, because the image contains no curl.
/// </summary>
internal static class HealthCommand
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Asks the gateway on this machine that has the same settings files and environment as this process.</summary>
    /// <param name="errors">Receives the reason for a failure.</param>
    /// <returns>The exit code: 0 for a successful response, else 1.</returns>
    public static async Task<int> RunAsync(TextWriter errors)
    {
        HealthTarget? target;
        try
        {
            // The configuration sources of the gateway itself, without its services. Watching the files would be of no use.
            target = HealthTarget.Find(WebApplication.CreateBuilder(new WebApplicationOptions
            {
                Args = ["--hostBuilder:reloadConfigOnChange=false"],
                ContentRootPath = AppContext.BaseDirectory,
            }).Configuration);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await errors.WriteLineAsync($"The settings cannot be read: {SettingsFileError.TextOf(exception)}");
            return 1;
        }

        if (target is null)
        {
            await errors.WriteLineAsync("No address of the settings has a fixed TCP port. Name one: LumaGateway health <address>.");
            return 1;
        }

        return await RunAsync(target, errors);
    }

    /// <summary>Asks the gateway on this machine. Does not verify its certificate, which has the name that callers use.</summary>
    /// <param name="target">The address on this machine.</param>
    /// <param name="errors">Receives the reason for a failure.</param>
    /// <param name="timeout">The limit on the whole request; 2 s if null.</param>
    /// <returns>The exit code: 0 for a successful response, else 1.</returns>
    public static async Task<int> RunAsync(HealthTarget target, TextWriter errors, TimeSpan? timeout = null)
    {
#pragma warning disable CA5359 // the request stays on this machine and contains no secret
        var tls = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        using var handler = new SocketsHttpHandler { UseProxy = false, SslOptions = tls };
        using var client = new HttpClient(handler)
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = target.IsHttp2Only ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower, // "or lower" is HTTP/1.1 without TLS
        };
        return await SendAsync(target.Address.OriginalString, client, errors, timeout);
    }

    /// <summary>Asks the gateway at an address, which may be on another machine. Verifies its certificate.</summary>
    /// <param name="address">The gateway's address; its path is replaced.</param>
    /// <param name="errors">Receives the reason for a failure.</param>
    /// <param name="timeout">The limit on the whole request; 2 s if null.</param>
    /// <returns>The exit code: 0 for a successful response, else 1.</returns>
    public static async Task<int> RunAsync(string address, TextWriter errors, TimeSpan? timeout = null)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        return await SendAsync(address, client, errors, timeout);
    }

    private static async Task<int> SendAsync(string address, HttpClient client, TextWriter errors, TimeSpan? timeout)
    {
        try
        {
            client.Timeout = timeout ?? DefaultTimeout;
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
