using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Hosting;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Support;

/// <summary>The gateway in this process, with a scripted upstream and a fake clock.</summary>
internal sealed class Gateway : WebApplicationFactory<Program>
{
    /// <summary>The key of the client <c>tests</c>, which has every permission.</summary>
    public const string Key = "tests-key";

    public const string Token = "upstream-token";

    private readonly Dictionary<string, string?> _settings = new()
    {
        ["Luma:BaseAddress"] = "http://upstream.test/luma",
        ["Luma:ApiKey"] = Token,
        ["Access:Clients:0:Name"] = "tests",
        ["Access:Clients:0:KeySha256"] = Digest(Key),
        ["Access:Clients:0:Rights:0"] = "read",
        ["Access:Clients:0:Rights:1"] = "raw",
        ["Access:Clients:0:Rights:2"] = "create",
        ["Access:Clients:0:Rights:3"] = "delete",
        ["Access:Clients:0:Rights:4"] = "assets",
        ["Access:Clients:0:Rights:5"] = "purge",

        // Long timeouts in real time, so that a busy machine does not reach them.
        ["Server:HeaderTimeout"] = "00:01:00",
        ["Server:MinBytesPerSecond"] = "1",
        ["Assets:ConnectTimeout"] = "00:01:00",
        ["OTEL_EXPORTER_OTLP_TIMEOUT"] = "600000",
        ["OTEL_BSP_EXPORT_TIMEOUT"] = "600000",
        ["OTEL_BLRP_EXPORT_TIMEOUT"] = "600000",
        ["OTEL_METRIC_EXPORT_TIMEOUT"] = "600000",

        // Setting files are not watched.
        ["hostBuilder:reloadConfigOnChange"] = "false",
    };

    private readonly List<Action<IServiceCollection>> _services = [];

    private readonly ConcurrentQueue<string> _bodies = new();

    private bool _isNetworked;

    public ScriptedUpstream Upstream { get; } = new();

    /// <summary>The bodies of the creates that the upstream received, in order.</summary>
    public IReadOnlyList<string> Bodies => [.. _bodies];

    public PendingRequests PendingRequests { get; } = new();

    public TestClock Clock { get; } = new(new DateTimeOffset(2026, 4, 8, 12, 10, 0, TimeSpan.Zero));

    public FakeLogCollector Logs => Services.GetFakeLogCollector();

    /// <summary>Changes a setting before the start; null removes it.</summary>
    public Gateway With(string key, string? value)
    {
        _settings[key] = value;
        return this;
    }

    /// <summary>Uses a real upstream instead of the script.</summary>
    public Gateway WithUpstream(string address)
    {
        _isNetworked = true;
        return With("Luma:BaseAddress", address).With("Luma:Deadline", "00:05:00").With("Luma:AttemptTimeout", "00:05:00"); // also limits the time to connect
    }

    /// <summary>Changes a service before the start.</summary>
    public Gateway With(Action<IServiceCollection> change)
    {
        _services.Add(change);
        return this;
    }

    /// <summary>Creates an HTTP client with the key of the client <c>tests</c>.</summary>
    public HttpClient CreateCaller()
    {
        var client = CreateClient(new WebApplicationFactoryClientOptions { AllowAutoRedirect = false, HandleCookies = false });
        client.DefaultRequestHeaders.Add("X-Api-Key", Key);
        return client;
    }

    public HttpClient CreateCallerWithoutKey() => CreateClient(new WebApplicationFactoryClientOptions { AllowAutoRedirect = false, HandleCookies = false });

    public MetricCollector<T> Collect<T>(string instrument)
        where T : struct => new(Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), "LumaGateway", instrument);

    /// <summary>The errors of a failed start.</summary>
    public List<string> StartFaults { get; } = [];

    public static string Digest(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The timeout only ends a test that would hang.</summary>
    protected override void ConfigureClient(HttpClient client)
    {
        base.ConfigureClient(client);
        client.Timeout = Poll.Timeout;
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        foreach (var (key, value) in _settings.Where(setting => setting.Value is not null))
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureLogging(logging => logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddFakeLogging());
        builder.ConfigureTestServices(services =>
        {
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Clock));
            var validator = services.Last(service => service.ServiceType == typeof(IStartupValidator)).ImplementationType!;
            services.Replace(ServiceDescriptor.Transient<IStartupValidator>(provider => new RecordingValidator(
                (IStartupValidator)ActivatorUtilities.CreateInstance(provider, validator), StartFaults)));
            services.Configure<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme, bearer => bearer.BackchannelTimeout = Poll.Timeout);
            services.AddSingleton<IStartupFilter>(PendingRequests);
            services.Remove(services.Single(service => service.ImplementationType == typeof(StartupGarbageCollection))); // the process runs many gateways
            if (!_isNetworked)
            {
                services.AddHttpClient(UpstreamAccount.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => new BodyRecorder(Upstream, _bodies));
            }

            foreach (var change in _services)
            {
                change(services);
            }
        });
    }

    private sealed class RecordingValidator(IStartupValidator validator, List<string> faults) : IStartupValidator
    {
        public void Validate()
        {
            try
            {
                validator.Validate();
            }
            catch (Exception exception)
            {
                faults.AddRange(StartupErrors.MessagesOf(exception));
                throw;
            }
        }
    }
}
