using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>A certificate authority, and a server certificate for localhost, as PEM files in a folder. Disposal deletes the folder.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-certificates-");
    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;
    private readonly DateTimeOffset _from = TimeProvider.System.GetUtcNow().AddDays(-1);

    public Certificates()
    {
        var authority = new CertificateRequest("CN=Authority of the system tests", _authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _authority = authority.CreateSelfSigned(_from, _from.AddDays(3));
        File.WriteAllText(Authority, _authority.ExportCertificatePem());
        Renew();
    }

    public string Folder => _folder.FullName;

    public string Authority => Path.Combine(Folder, "authority.pem");

    public string Server => Path.Combine(Folder, "server.pem");

    public string ServerKey => Path.Combine(Folder, "server.key");

    /// <summary>Replaces the server certificate by another one of the same authority.</summary>
    /// <returns>Its thumbprint.</returns>
    public string Renew()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_authority, _from, _from.AddDays(2), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(ServerKey, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Server, certificate.ExportCertificatePem());
        return certificate.Thumbprint;
    }

    public X509Certificate2 LoadServer() => X509Certificate2.CreateFromPemFile(Server, ServerKey);

    public void Dispose()
    {
        _authority.Dispose();
        _authorityKey.Dispose();
        _folder.Delete(recursive: true);
    }
}
