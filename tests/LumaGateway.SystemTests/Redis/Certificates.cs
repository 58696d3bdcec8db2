using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LumaGateway.SystemTests.Redis;

/// <summary>An authority of this test's own, and a server certificate for localhost that it signed, as PEM files in a folder.</summary>
internal static class Certificates
{
    public const string Authority = "authority.pem";
    public const string Server = "server.pem";
    public const string ServerKey = "server.key";

    public static void WriteTo(string folder)
    {
        var from = TimeProvider.System.GetUtcNow().AddDays(-1);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Authority of the system tests", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var authorityCertificate = authority.CreateSelfSigned(from, from.AddDays(3));

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=localhost", serverKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        server.CertificateExtensions.Add(names.Build());
        using var serverCertificate = server.Create(authorityCertificate, from, from.AddDays(2), [1]);

        File.WriteAllText(Path.Combine(folder, Authority), authorityCertificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, Server), serverCertificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, ServerKey), serverKey.ExportPkcs8PrivateKeyPem());
    }
}
