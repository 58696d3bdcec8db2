using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using LumaGateway.Configuration;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Reports a failed start on standard error in plain text, without a stack trace.</summary>
internal static partial class StartupErrors
{
    public const int ExitCode = 1;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    /// <summary>Reads the settings and validates those of the log, which the application needs before it can validate the others.</summary>
    /// <returns>Null if the gateway cannot start; the reasons are printed.</returns>
    public static async Task<WebApplicationBuilder?> CreateBuilderAsync(CommandLine commandLine)
    {
        try
        {
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = commandLine.Settings, ContentRootPath = AppContext.BaseDirectory });
            if (LogRules.FaultsOf(builder.Configuration) is { Count: > 0 } faults)
            {
                await WriteAsync(faults);
                return null;
            }

            return builder;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"LumaGateway cannot start, because its settings cannot be read: {SettingsFileError.TextOf(exception)}");
            return null;
        }
    }

    /// <summary>Validates every setting and prints one line for each invalid one.</summary>
    public static async Task<bool> ValidateSettingsAsync(this WebApplication app)
    {
        try
        {
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            return true;
        }
        catch (Exception exception) when (MessagesOf(exception) is { Count: > 0 } messages)
        {
            await WriteAsync(messages);
            return false;
        }
    }

    private static async Task WriteAsync(List<string> messages)
    {
        await Console.Error.WriteLineAsync("LumaGateway cannot start. These settings are missing or invalid:");
        foreach (var message in messages)
        {
            await Console.Error.WriteLineAsync($"  - {message}");
        }
    }

    /// <summary>Runs the gateway until it is stopped.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAndReportErrorsAsync(this WebApplication app)
    {
        await using (app) // disposal exports the remaining telemetry
        {
            try
            {
                await app.StartAsync();
            }
            catch (Exception exception) when (IsListenerError(exception))
            {
                await Console.Error.WriteLineAsync(
                    $"LumaGateway cannot start, because it cannot listen: {exception.Message.Split('\n')[0].TrimEnd('.', '\r')}. Check ASPNETCORE_URLS, ASPNETCORE_HTTP_PORTS, Management:Port and Kestrel.");
                await StopAsync(app);
                return ExitCode;
            }

            await app.WaitForShutdownAsync();
            return 0;
        }
    }

    /// <summary>
    /// Stops the host, although its start failed: a background service that still runs when the services are disposed of may fail, and the host would log that. It
    /// does not log a service that ends because the host stops.
    /// </summary>
    private static async Task StopAsync(WebApplication app)
    {
        using var limit = new CancellationTokenSource(StopLimit, app.Services.GetRequiredService<TimeProvider>());
        await app.StopAsync(limit.Token);
    }

    /// <summary>An address that is in use, forbidden, not of this machine or not an address; a certificate that is missing or unreadable.</summary>
    private static bool IsListenerError(Exception exception) =>
        exception is IOException or SocketException or FormatException or CryptographicException or UnauthorizedAccessException or InvalidOperationException
        && IsThrownByKestrel(exception);

    /// <summary>Reads the stack trace, because <see cref="Exception.Source"/> is not set in native code.</summary>
    private static bool IsThrownByKestrel(Exception exception) => exception.StackTrace?.Contains("Microsoft.AspNetCore.Server.Kestrel.", StringComparison.Ordinal) is true;

    /// <summary>The messages of a validation exception, of several in an <see cref="AggregateException"/>, or of a value that cannot be converted.</summary>
    public static List<string> MessagesOf(Exception exception) => exception switch
    {
        OptionsValidationException validation => [.. validation.Failures.Select(WithoutRepeatedKey)],
        AggregateException aggregate => [.. aggregate.InnerExceptions.SelectMany(MessagesOf)],
        InvalidOperationException conversion when ConversionError().Match(conversion.Message) is { Success: true } match =>
            [$"{match.Groups["key"].Value} cannot be converted to the type {match.Groups["type"].Value}."],
        _ => [],
    };

    /// <summary>Generated validators write the property's name before a message that contains the key already; others write "Property key: message".</summary>
    private static string WithoutRepeatedKey(string failure)
    {
        if (failure.Split(": ", 2) is not [var property, var message])
        {
            return failure;
        }

        const string Prefix = "Property ";
        return property.StartsWith(Prefix, StringComparison.Ordinal) ? $"{property[Prefix.Length..]} {message}"
            : message.Contains($":{property} ", StringComparison.Ordinal) ? message : failure;
    }

    /// <summary>Matches from the right: the binder's message repeats the value, which may contain anything, before the key.</summary>
    [GeneratedRegex("' at '(?<key>[^']+)' to type '([^']+[.])?(?<type>[^'.]+)'", RegexOptions.RightToLeft)]
    private static partial Regex ConversionError();
}
