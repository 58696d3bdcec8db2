using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>
/// The shipped configurations of nginx and HAProxy, checked by their own programs, with the names of two gateways and a certificate made by the command in
/// <c>docs/operations.md</c>. Needs openssl; nginx or haproxy.
/// </summary>
public sealed partial class BalancerConfigurationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("balancer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Nginx_accepts_its_configuration()
    {
        Tool.Require("nginx");
        await MakeCertificateAsync();
        Directory.CreateDirectory(Path.Combine(_folder, "tls"));
        foreach (var file in new[] { "tls.crt", "tls.key" })
        {
            File.Copy(Path.Combine(_folder, file), Path.Combine(_folder, "tls", file));
        }

        await ShipAsync("nginx-tls.conf", "tls/nginx-tls.conf");
        await ShipAsync("nginx.conf", "nginx.conf");

        await RunAsync("nginx", "-t", "-c", Path.Combine(_folder, "nginx.conf"), "-p", _folder);
    }

    [Fact]
    public async Task Haproxy_accepts_its_configuration()
    {
        Tool.Require("haproxy");
        await MakeCertificateAsync();
        await ShipAsync("haproxy.cfg", "haproxy.cfg");

        await RunAsync("haproxy", "-c", "-f", Path.Combine(_folder, "haproxy.cfg"));
    }

    private async Task MakeCertificateAsync()
    {
        Tool.Require("openssl");
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/operations.md"), TestContext.Current.CancellationToken);
        await RunAsync("sh", "-ec", Command().Match(page).Groups["command"].Value);
        Assert.True(File.Exists(Path.Combine(_folder, "tls.pem")), "docs/operations.md has no command that makes tls.pem.");
    }

    /// <summary>Copies a file of infra/. The names of the gateways become resolvable, and the folders of the system become that of the test; nothing else changes.</summary>
    private async Task ShipAsync(string file, string target)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "infra", file), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(_folder, target),
            Gateways().Replace(Folders().Replace(text, _folder), "localhost:8080").Replace("/tmp/nginx", $"{_folder}/nginx", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        await using var process = ChildProcess.Start(program, arguments, directory: _folder);
        Assert.True(await process.WaitForExitAsync(TimeSpan.FromMinutes(1)) == 0, process.Everything);
    }

    [GeneratedRegex("^(?<command>openssl req -x509 .*(\n.+)*)\n```", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"gateway-\d:8080")]
    private static partial Regex Gateways();

    [GeneratedRegex("/etc/(nginx|haproxy)")]
    private static partial Regex Folders();
}
