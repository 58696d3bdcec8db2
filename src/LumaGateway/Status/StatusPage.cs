using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Status;

/// <summary>The HTML page, which loads no other resources, and a content security policy that allows only its own script and style.</summary>
internal sealed class StatusPage
{
    public StatusPage()
    {
        using var stream = typeof(StatusPage).Assembly.GetManifestResourceStream("status.html")!;
        Html = new byte[stream.Length];
        stream.ReadExactly(Html);

        var text = Encoding.UTF8.GetString(Html);
        Policy = $"default-src 'none'; connect-src 'self'; script-src '{HashOf(text, "script")}'; style-src '{HashOf(text, "style")}'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    /// <summary>UTF-8.</summary>
    public byte[] Html { get; }

    /// <summary>The value of <c>Content-Security-Policy</c>.</summary>
    public string Policy { get; }

    private static string HashOf(string html, string element)
    {
        var start = html.IndexOf($"<{element}>", StringComparison.Ordinal) + element.Length + 2;
        var end = html.IndexOf($"</{element}>", start, StringComparison.Ordinal);
        return "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(html[start..end])));
    }
}
