using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Hosting;

/// <summary>An HTML page that loads no other resources, and a content security policy that allows only its own script and style.</summary>
internal sealed class HtmlPage
{
    private readonly byte[] _html;
    private readonly string _policy;

    public HtmlPage(string html)
    {
        _html = Encoding.UTF8.GetBytes(html);
        _policy = $"default-src 'none'; connect-src 'self'; script-src {HashOf(html, "script")}; style-src {HashOf(html, "style")}; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    /// <summary>Whether <c>Accept</c> names <c>text/html</c>, as browsers do.</summary>
    public static bool IsHtmlWanted(HttpRequest request) => request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    /// <summary>Responds with the page; to HEAD without the body.</summary>
    public Task WriteAsync(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = _policy;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = _html.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(_html, context.RequestAborted).AsTask();
    }

    /// <summary>The policy's source for the one such element of the page; <c>'none'</c> if it has none.</summary>
    private static string HashOf(string html, string element)
    {
        var start = html.IndexOf($"<{element}>", StringComparison.Ordinal);
        if (start < 0)
        {
            return "'none'";
        }

        start += element.Length + 2;
        var end = html.IndexOf($"</{element}>", start, StringComparison.Ordinal);
        return $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(html[start..end])))}'";
    }
}
