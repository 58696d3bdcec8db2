using LumaGateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace LumaGateway.Tests.Hosting;

/// <summary>The address that the health command derives from the gateway's settings.</summary>
public sealed class HealthTargetTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://127.0.0.1:9000", "http_ports=9000;9001")]
    [InlineData("http://127.0.0.1:7000", "urls=http://*:7000", "http_ports=8080")]
    [InlineData("http://127.0.0.1:7001", "urls=https://*:7000;http://+:7001", "http_ports=8080")]
    [InlineData("https://127.0.0.1:8443", "https_ports=8443")]
    [InlineData("http://127.0.0.1:9090", "https_ports=8443", "Management:Port=9090")]
    [InlineData("http://127.0.0.1:8080", "Management:Port=9090", "http_ports=8080")]
    [InlineData("https://127.0.0.1:8443", "Kestrel:Endpoints:Https:Url=https://*:8443", "urls=http://*:7000", "http_ports=8080")]
    [InlineData("http://127.0.0.1:9090", "Kestrel:Endpoints:Https:Url=https://*:8443", "Kestrel:Endpoints:Management:Url=http://*:9090", "Management:Port=9090")]
    [InlineData("http://10.1.2.3:80", "urls=http://10.1.2.3")]
    [InlineData("http://[fd00::1]:8080", "urls=http://[fd00::1]:8080")]
    [InlineData("http://127.0.0.1:8080", "urls=http://[::]:8080")]
    [InlineData("http://127.0.0.1:8080", "urls=http://0.0.0.0:8080/")]
    [InlineData("http://127.0.0.1:8080", "urls=http://gateway.example:8080")] // Kestrel listens on all addresses
    [InlineData("http://127.0.0.1:8081", "urls=http://unix:/run/gateway.sock;http://*:0;nonsense;http://*:8081")]
    public void It_is_the_first_one_on_which_the_gateway_listens(string expected, params string[] settings)
    {
        var target = HealthTarget.Find(Settings(settings));

        Assert.Equal(new HealthTarget(new Uri(expected), false), target);
    }

    [Fact]
    public void It_is_null_without_a_TCP_port() => Assert.Null(HealthTarget.Find(Settings("urls=http://unix:/run/gateway.sock")));

    [Theory]
    [InlineData("http://127.0.0.1:8080", "Kestrel:Endpoints:One:Url=http://*:8080", "Kestrel:Endpoints:One:Protocols=Http2")]
    [InlineData("http://127.0.0.1:7000", "urls=http://*:7000", "Kestrel:EndpointDefaults:Protocols=Http2")]
    public void A_listener_for_HTTP_2_alone_is_asked_with_HTTP_2(string expected, params string[] settings) =>
        Assert.Equal(new HealthTarget(new Uri(expected), true), HealthTarget.Find(Settings(settings)));

    private static IConfiguration Settings(params string[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(parts => KeyValuePair.Create(parts[0], (string?)parts[1])))
        .Build();
}
