using System.Text.Json;
using System.Text.Json.Serialization;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Dialects;
using LumaGateway.Sandbox.Faults;
using LumaGateway.Sandbox.Files;
using LumaGateway.Sandbox.Gateway;
using LumaGateway.Sandbox.Generations;
using LumaGateway.Sandbox.Requests;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace LumaGateway.Sandbox;

/// <summary>Registers the sandbox's services and reads its settings.</summary>
internal static class SandboxServices
{
    public static void AddSandboxSettings(this WebApplicationBuilder builder, string[] args)
    {
        // The appsettings.json beside this binary is the gateway's.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddEnvironmentVariables();
        builder.Configuration.AddArguments(args);
        builder.Services.AddOptions<SandboxOptions>().BindConfiguration(SandboxOptions.Section);
        builder.Services.AddSingleton<IValidateOptions<SandboxOptions>, SandboxOptionsValidator>();
        builder.Services.AddSingleton(Validated);
        builder.Logging.AddFilter(static (category, level) => level >= LogLevel.Warning && !IsStartFailure(category, level));
    }

    public static void AddSandbox(this IServiceCollection services)
    {
        services.AddSingleton<PublicAddress>();
        services.AddSingleton<AssetLinks>();
        services.AddSingleton<GenerationStore>();
        services.AddSingleton<CreateLimits>();
        services.AddSingleton<FileStore>();
        services.AddSingleton<FileEndpoints>();
        services.AddSingleton<CallbackSender>();
        services.AddHostedService(provider => provider.GetRequiredService<CallbackSender>());
        services.AddSingleton<RequestLog>();
        services.AddSingleton<FaultRules>();
        services.AddSingleton<AcceptedToken>();
        services.AddSingleton<ISandboxDialect, RelayDialect>();
        services.AddSingleton<ISandboxDialect, DreamMachineDialect>();
        services.AddSingleton<ISandboxDialect, AgentsDialect>();
        services.AddSingleton<ISandboxDialect, NewApiDialect>();
        services.AddSingleton<ISandboxDialect, PiApiDialect>();
        services.AddSingleton<DialectSet>();
        services.AddSingleton<GatewayLauncher>();
        services.AddSingleton<WelcomeText>();
        services.ConfigureHttpJsonOptions(static json => UseControlJson(json.SerializerOptions));
        // Requests that hang on purpose would otherwise delay the shutdown by 30 s.
        services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        // A sandbox without CPU time must be slow, not close connections: only scripted faults do that.
        services.Configure<KestrelServerOptions>(static kestrel =>
        {
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromHours(1);
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MaxRequestBodySize = null; // creates of the Agents API contain media
            kestrel.Limits.MinResponseDataRate = null;
        });
        services.Configure<RouteHandlerOptions>(static routes => routes.ThrowOnBadRequest = true);
    }

    private static SandboxOptions Validated(IServiceProvider services)
    {
        try
        {
            return services.GetRequiredService<IOptions<SandboxOptions>>().Value;
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException)
        {
            throw new StartException(exception.Message, exception);
        }
    }

    private static void UseControlJson(JsonSerializerOptions json)
    {
        json.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
        // A misspelt key in a control request is an error, not ignored.
        json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        json.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        json.WriteIndented = true;
    }

    // SandboxRun reports these two errors in one line each, without a stack trace.
    private static bool IsStartFailure(string? category, LogLevel level) =>
        category is "Microsoft.Extensions.Hosting.Internal.Host"
        || (category is "Microsoft.AspNetCore.Server.Kestrel" && level is LogLevel.Critical);
}
