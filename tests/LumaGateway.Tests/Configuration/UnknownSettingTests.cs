using System.Text;
using LumaGateway.Configuration;
using LumaGateway.Hosting;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace LumaGateway.Tests.Configuration;

/// <summary>Unknown settings, from every configuration source.</summary>
public sealed class UnknownSettingTests
{
    private const string Secret = "CANARY-value";

    [Theory]
    [InlineData("Luma:Dialct", "Luma:Dialect")]
    [InlineData("luma:dialekt", "Luma:Dialect")]
    [InlineData("Luma:ApiKeyfiel", "Luma:ApiKeyFile")]
    [InlineData("Luma:BaseAdress", "Luma:BaseAddress")]
    [InlineData("Luma:BreakerWindows", "Luma:BreakerWindow")]
    [InlineData("Acess:AllowAnonymous", "Access:AllowAnonymous")]
    [InlineData("Acess:Clients:0:Name", "Access:Clients:<n>:Name")]
    [InlineData("Access:Client:0:Name", "Access:Clients:<n>:Name")]
    [InlineData("Access:Clients:0:KeySha265", "Access:Clients:<n>:KeySha256")]
    [InlineData("Access:Clients:Name", "Access:Clients:<n>:Name")]
    [InlineData("Access:Clients:0:Limits:Concurency", "Access:Clients:<n>:Limits:Concurrency")]
    [InlineData("Access:Jwt:Audiance", "Access:Jwt:Audience")]
    [InlineData("Assets:AllowedHost:0", "Assets:AllowedHosts:<n>")]
    [InlineData("Batch:MaxId", "Batch:MaxIds")]
    [InlineData("Cahce:MemoryBytes", "Cache:MemoryBytes")]
    [InlineData("Callback:SecretFile", "Callbacks:SecretFile")]
    [InlineData("ConnectionStrings:Redi", "ConnectionStrings:Redis")]
    [InlineData("ConnectionString:Redis", "ConnectionStrings:Redis")]
    [InlineData("ForwardedHeader:Limit", "ForwardedHeaders:Limit")]
    [InlineData("Freshnes:Stale", "Freshness:Stale")]
    [InlineData("Limits:Upstream:Que", "Limits:Upstream:Queue")]
    [InlineData("Managment:Port", "Management:Port")]
    [InlineData("Management:Prot", "Management:Port")]
    [InlineData("Passthrough:CreateTimout", "Passthrough:CreateTimeout")]
    [InlineData("Server:ShutdownDelai", "Server:ShutdownDelay")]
    [InlineData("Swagger:Enable", "Swagger:Enabled")]
    [InlineData("Waiting:Longst", "Waiting:Longest")]
    public void A_mistyped_key_stops_the_start_with_a_suggestion_and_without_its_value(string key, string nearest)
    {
        using var gateway = new Gateway().With(key, Secret);

        Assert.ThrowsAny<Exception>(gateway.CreateCaller);

        Assert.Equal($"{key} is not a setting. Did you mean {nearest}?", Assert.Single(gateway.StartFaults), ignoreCase: true);
    }

    [Fact]
    public void All_invalid_settings_are_reported_together()
    {
        using var gateway = new Gateway()
            .With("Luma:Dialct", "piapi").With("Waiting:Quux-Frobnicate", "1").With("Access:Clients:0:Rights", "read,raw").With("Luma:Retries", "11").With("Luma:Dialect", "klingon");

        Assert.ThrowsAny<Exception>(gateway.CreateCaller);

        Assert.Equal(5, gateway.StartFaults.Count);
        Assert.All(
            ["Luma:Dialct is not a setting.", "Waiting:Quux-Frobnicate is not a setting.", "Access:Clients:0:Rights is a list: set Access:Clients:0:Rights:0", "Luma:Retries must", "Luma:Dialect must"],
            message => Assert.Contains(gateway.StartFaults, fault => fault.StartsWith(message, StringComparison.Ordinal)));
    }

    [Fact]
    public void Settings_of_every_source_are_checked()
    {
        var variable = $"LUMA_{Guid.NewGuid():N}_";
        Environment.SetEnvironmentVariable($"{variable}Luma__Dialct", Secret);
        try
        {
            IConfigurationBuilder[] sources =
            [
                new ConfigurationBuilder().AddEnvironmentVariables(variable),
                new ConfigurationBuilder().AddCommandLine(["--Luma:Dialct", Secret]),
                new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes($$$"""{"Luma":{"Dialct":"{{{Secret}}}"}}"""))),
                new ConfigurationBuilder().AddJsonStream(new MemoryStream("""{"Luma":{"Dialct":null}}"""u8.ToArray())),
                new ConfigurationBuilder().AddJsonStream(new MemoryStream("""{"Luma":{"Dialct":{"a":1}}}"""u8.ToArray())),
            ];

            Assert.All(sources, source => Assert.StartsWith("Luma:Dialct", Assert.Single(FaultsOf(source)), StringComparison.Ordinal));
        }
        finally
        {
            Environment.SetEnvironmentVariable($"{variable}Luma__Dialct", null);
        }
    }

    [Theory]
    [InlineData("PATH", "/usr/bin")]
    [InlineData("LUMA_PORT", "tcp://10.0.0.1:80")]
    [InlineData("CACHE_SERVICE_HOST", "10.0.0.1")]
    [InlineData("Server", "a host's own variable")]
    [InlineData("Kestrel:Endpoints:Http:Url", "http://*:8080")]
    [InlineData("Kestrel:Limits:Anything", "1")]
    [InlineData("Logging:LogLevel:Default", "Debug")]
    [InlineData("ReverseProxy:Routes:extra:ClusterId", "luma")]
    [InlineData("GitHub:Token", "x")]
    [InlineData("LIMA:X", "1")]
    [InlineData("Patch:Level", "3")]
    [InlineData("Kestral:Endpoints:Http:Url", "http://*:8080")]
    [InlineData("Severs:MaxHeaders", "1")]
    [InlineData("Access:Clients:17:Rights:3", "read")]
    [InlineData("LUMA:DIALECT", "piapi")]
    [InlineData("Assets:AllowedHosts", "")]
    [InlineData("Management:Port", "")]
    public void Known_settings_and_settings_of_other_programs_are_ignored(string key, string value) =>
        Assert.Empty(FaultsOf(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>(key, value)])));

    private static IEnumerable<string> FaultsOf(IConfigurationBuilder source)
    {
        try
        {
            return new SettingsRules(source.Build()).Validate(null, new AllSettings()).Failures ?? [];
        }
        catch (AggregateException exception)
        {
            return StartupErrors.MessagesOf(exception);
        }
    }
}
