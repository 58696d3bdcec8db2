using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace LumaGateway.SystemTests.Operations;

/// <summary>TLS in the gateway, with the settings of Kestrel.</summary>
public sealed class ServerTlsTests
{
    private const string Listening = "Now listening on: ";

    [Fact]
    public async Task A_certificate_file_is_used_with_HTTP_2_and_reloaded_without_a_restart()
    {
        using var certificates = new Certificates();
        var first = certificates.LoadServer().Thumbprint;
        var (gateway, address) = await FreePort.UseAsync(port => StartAsync(certificates, port)); // a dynamic port would change with each renewal
        await using var _ = gateway;

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = Trusting(certificates) })
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await client.GetAsync(new Uri(address, "/health/ready"), TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (response.StatusCode, response.Version));
        Assert.Equal(first, await ServedAsync(address, certificates));

        var renewed = certificates.Renew();

        await Wait.UntilAsync(
            async () => await ServedAsync(address, certificates) == renewed, () => $"The renewed certificate is not served.\n{gateway.Everything}");
    }

    /// <summary>The certificate has another name than the address, and no authority that the container trusts.</summary>
    [Fact]
    public async Task The_health_check_of_the_image_works_with_TLS()
    {
        using var certificates = new Certificates();
        var (gateway, address) = await FreePort.UseAsync(port => StartAsync(certificates, port));
        await using var _ = gateway;
        var environment = new Dictionary<string, string> { ["ASPNETCORE_HTTP_PORTS"] = "9", ["Kestrel__Endpoints__Https__Url"] = $"https://*:{address.Port}" };

        await Wait.UntilAsync(
            async () =>
            {
                await using var check = GatewayProgram.Tested.Start(["health"], environment);
                return await check.WaitForExitAsync() == 0;
            },
            () => $"The health check failed.\n{gateway.Everything}");
    }

    private static async Task<(ChildProcess Gateway, Uri Address)> StartAsync(Certificates certificates, int port)
    {
        var address = new Uri($"https://127.0.0.1:{port}");
        var gateway = GatewayProcess.Launch(new Dictionary<string, string>
        {
            ["Kestrel:Endpoints:Https:Url"] = address.OriginalString,
            ["Kestrel:Endpoints:Https:Certificate:Path"] = certificates.Server,
            ["Kestrel:Endpoints:Https:Certificate:KeyPath"] = certificates.ServerKey,
            ["Luma:BaseAddress"] = "http://127.0.0.1:9/luma",
            ["Luma:ApiKey"] = "token-of-the-tls-tests",
            ["Access:AllowAnonymous"] = "true",
        });
        try
        {
            await gateway.ReadAsync(line => line.Contains(Listening, StringComparison.Ordinal) ? line : null);
            return (gateway, address);
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns the thumbprint of the server certificate; null if the connection fails.</summary>
    private static async Task<string?> ServedAsync(Uri address, Certificates certificates)
    {
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
            await using var tls = new SslStream(socket.GetStream());
            await tls.AuthenticateAsClientAsync(Trusting(certificates), TestContext.Current.CancellationToken);
            return (tls.RemoteCertificate as X509Certificate2)?.Thumbprint;
        }
        catch (Exception fault) when (fault is SocketException or IOException)
        {
            return null;
        }
    }

    private static SslClientAuthenticationOptions Trusting(Certificates certificates)
    {
        var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        chain.CustomTrustStore.ImportFromPemFile(certificates.Authority);
        return new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = chain };
    }
}
