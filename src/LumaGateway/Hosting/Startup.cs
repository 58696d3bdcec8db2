using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Runs the service, or says in plain words why it cannot start: no stack trace, exit code 1.</summary>
internal static partial class Startup
{
    public const int Refused = 1;

    /// <summary>Checks every setting; says each fault on a line of its own.</summary>
    public static async Task<bool> CanStartAsync(this WebApplication app)
    {
        try
        {
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            return true;
        }
        catch (Exception exception) when (Faults(exception) is { Count: > 0 } faults)
        {
            await Console.Error.WriteLineAsync("LumaGateway cannot start. These settings are missing or wrong:");
            foreach (var fault in faults)
            {
                await Console.Error.WriteLineAsync($"  - {fault}");
            }

            return false;
        }
    }

    /// <summary>Runs until it is stopped. Gives the exit code.</summary>
    public static async Task<int> RunOrExplainAsync(this WebApplication app)
    {
        await using (app) // which sends off what telemetry is still held
        {
            try
            {
                await app.StartAsync();
            }
            catch (Exception exception) when (IsOfListening(exception))
            {
                await Console.Error.WriteLineAsync(
                    $"LumaGateway cannot start, as it cannot listen where it should: {exception.Message.Split('\n')[0].TrimEnd('.', '\r')}. Look at ASPNETCORE_URLS, ASPNETCORE_HTTP_PORTS, Management:Port and Kestrel.");
                return Refused;
            }

            await app.WaitForShutdownAsync();
            return 0;
        }
    }

    /// <summary>An address that is taken, forbidden, not of this machine or not an address; a certificate that is missing or cannot be read.</summary>
    private static bool IsOfListening(Exception exception) =>
        exception is IOException or SocketException or FormatException or CryptographicException or UnauthorizedAccessException or InvalidOperationException
        && CameThroughKestrel(exception);

    /// <summary>The trace tells, as native code knows no <see cref="Exception.Source"/>.</summary>
    private static bool CameThroughKestrel(Exception exception) => exception.StackTrace?.Contains("Microsoft.AspNetCore.Server.Kestrel.", StringComparison.Ordinal) is true;

    /// <summary>One options class that is wrong throws its own exception, several an aggregate; a value that does not convert the binder's.</summary>
    public static List<string> Faults(Exception exception) => exception switch
    {
        OptionsValidationException settings => [.. settings.Failures.Select(Plain)],
        AggregateException several => [.. several.InnerExceptions.SelectMany(Faults)],
        InvalidOperationException unreadable when Unconverted().Match(unreadable.Message) is { Success: true } match =>
            [$"{match.Groups["key"].Value} cannot be read: its value is not of the kind {match.Groups["type"].Value}."],
        _ => [],
    };

    /// <summary>The generated validators put the property's name before a message that names the key already; others say "Property key: message".</summary>
    private static string Plain(string fault)
    {
        if (fault.Split(": ", 2) is not [var property, var message])
        {
            return fault;
        }

        const string Prefix = "Property ";
        return property.StartsWith(Prefix, StringComparison.Ordinal) ? $"{property[Prefix.Length..]} {message}"
            : message.Contains($":{property} ", StringComparison.Ordinal) ? message : fault;
    }

    /// <summary>The binder's message repeats the value, which may be anything; what follows it is the key.</summary>
    [GeneratedRegex("' at '(?<key>[^']+)' to type '([^']+[.])?(?<type>[^'.]+)'", RegexOptions.RightToLeft)]
    private static partial Regex Unconverted();
}
