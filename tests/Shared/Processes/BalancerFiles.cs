using System.Globalization;
using System.Text.RegularExpressions;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Writes the balancers' configuration files of infra/ into a folder, with the addresses, ports and paths of a test and the replacements in
/// <see cref="SuiteSettings.BalancerSettings"/>.
/// </summary>
/// <param name="folder">The target folder.</param>
/// <param name="certificates">The balancer's certificate.</param>
/// <param name="port">The HTTP port.</param>
/// <param name="securePort">The HTTPS port.</param>
/// <param name="gateways">The loopback ports of the gateways.</param>
internal sealed partial class BalancerFiles(string folder, Certificates certificates, int port, int securePort, IReadOnlyList<int> gateways)
{
    /// <summary>Writes the files of nginx, and returns its command-line arguments.</summary>
    public string[] WriteNginx()
    {
        var tls = Directory.CreateDirectory(Path.Combine(folder, "tls")).FullName;
        File.Copy(certificates.Server, Path.Combine(tls, "tls.crt"));
        File.Copy(certificates.ServerKey, Path.Combine(tls, "tls.key"));
        Write(Path.Combine(tls, "tls.conf"), "infra/nginx-tls.conf", text => text
            .Replace("listen 8443", $"listen 127.0.0.1:{securePort}", StringComparison.Ordinal)
            .Replace("/etc/nginx/tls", tls, StringComparison.Ordinal));
        var file = Path.Combine(folder, "nginx.conf");
        Write(file, "infra/nginx.conf", text => WithGateways(WithSuiteSettings(text), gateways)
            .Replace("/tmp/", folder + "/", StringComparison.Ordinal)
            .Replace("listen 8080", $"listen 127.0.0.1:{port}", StringComparison.Ordinal)
            .Replace("/etc/nginx/tls", tls, StringComparison.Ordinal));
        return ["-c", file, "-p", folder, "-g", "daemon off;"];
    }

    /// <summary>Writes the files of HAProxy, and returns its command-line arguments.</summary>
    public string[] WriteHAProxy()
    {
        var pem = Path.Combine(folder, "tls.pem");
        File.WriteAllText(pem, File.ReadAllText(certificates.Server) + "\n" + File.ReadAllText(certificates.ServerKey));
        var file = Path.Combine(folder, "haproxy.cfg");
        Write(file, "infra/haproxy.cfg", text => WithGateways(WithSuiteSettings(text), gateways)
            .Replace("bind :8080", $"bind 127.0.0.1:{port}", StringComparison.Ordinal)
            .Replace("bind :8443", $"bind 127.0.0.1:{securePort}", StringComparison.Ordinal)
            .Replace("/etc/haproxy/tls.pem", pem, StringComparison.Ordinal));
        return ["-db", "-f", file];
    }

    private static void Write(string file, string original, Func<string, string> change) =>
        File.WriteAllText(file, change(File.ReadAllText(Path.Combine(Repository.Root, original))));

    private static string WithSuiteSettings(string text)
    {
        var changed = SuiteSettings.BalancerSettings.Aggregate(text, (soFar, setting) => soFar.Replace(setting.Key, setting.Value, StringComparison.Ordinal));
        Assert.True(changed != text || SuiteSettings.BalancerSettings.Count == 0, "The balancer's file contains no setting of the suite.");
        return changed;
    }

    /// <summary>Replaces the line of each gateway by one with the port of the test.</summary>
    private static string WithGateways(string text, IEnumerable<int> ports)
    {
        var line = GatewayLine().Match(text);
        var lines = string.Concat(ports.Select((port, i) => line.Value.Replace("gateway-1:8080", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), StringComparison.Ordinal)
            .Replace("gateway-1", $"gateway-{i + 1}", StringComparison.Ordinal)));
        return GatewayLine().Replace(text, "").Insert(line.Index, lines);
    }

    [GeneratedRegex(@"^ *server .*gateway-\d:8080.*\n", RegexOptions.Multiline)]
    private static partial Regex GatewayLine();
}
