using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LumaGateway.Hosting;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Hosting;

public sealed class HealthCommandTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_exit_code_is_0_for_a_running_gateway_and_1_for_an_address_without_one()
    {
        var (main, _) = ListeningGateway.Start(_gateway);
        using var errors = new StringWriter();

        Assert.Equal(0, await HealthCommand.RunAsync(main.AbsoluteUri, errors, Poll.Timeout));
        Assert.Equal("", errors.ToString());
        Assert.Equal(1, await HealthCommand.RunAsync("http://127.0.0.1:9", errors, Poll.Timeout));
        Assert.StartsWith("http://127.0.0.1:9 does not respond", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_certificate_is_verified_only_at_an_address_that_the_caller_names()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var selfSigned = new CertificateRequest("CN=gateway.example", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(selfSigned.Export(X509ContentType.Pfx), null);
        await using var server = await Loopback.StartAsync(context => context.Response.WriteAsync("ok"), certificate);
        using var errors = new StringWriter();

        Assert.Equal(0, await HealthCommand.RunAsync(new HealthTarget(new Uri(server.Address), IsHttp2Only: false), errors, Poll.Timeout));
        Assert.Equal("", errors.ToString());
        Assert.Equal(1, await HealthCommand.RunAsync(server.Address, errors, Poll.Timeout));
    }
}
