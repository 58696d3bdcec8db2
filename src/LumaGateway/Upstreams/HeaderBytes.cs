using System.Text;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Upstreams;

/// <summary>
/// Forwards header values byte by byte. A value may contain bytes above 0x7F (RFC 9110, section 5.5). Every HTTP client and server of the gateway reads
/// and writes headers as Latin-1, so a character of a value is a byte.
/// </summary>
internal static class HeaderBytes
{
    public static Encoding Encoding => Encoding.Latin1;

    /// <summary>The values of a caller's header for the upstream, without values that cannot be sent. Empty if there are none.</summary>
    public static StringValues OfRequest(HttpRequest request, string name) =>
        !request.Headers.TryGetValue(name, out var values) ? StringValues.Empty
        : values is [{ } single] && OfCaller(single) is var value && CanBeSent(value) ? value
        : Sendable(values.Select(static value => OfCaller(value ?? string.Empty)));

    /// <summary>
    /// Sets the named headers of an upstream's response in the caller's response, without values that cannot be sent, and without a length that <c>Transfer-Encoding</c>
    /// overrides (RFC 9112, section 6.3).
    /// </summary>
    public static void Copy(HttpResponseMessage upstream, HttpResponse response, string[] names)
    {
        foreach (var name in names)
        {
            if (name == HeaderNames.ContentLength && upstream.Headers.NonValidated.Contains(HeaderNames.TransferEncoding))
            {
                continue;
            }

            if (upstream.Headers.NonValidated.TryGetValues(name, out var values) || upstream.Content.Headers.NonValidated.TryGetValues(name, out values))
            {
                response.Headers[name] = values.Count == 1 && CanBeSent(values.ToString()) ? values.ToString() : Sendable(values);
            }
        }
    }

    /// <summary>Removes values that HTTP servers and clients refuse to write: a value that cannot be sent must not fail the request.</summary>
    private static StringValues Sendable(IEnumerable<string> values) => values.Where(CanBeSent).ToArray();

    /// <summary>Converts a value that Kestrel has decoded as UTF-8 back into its bytes.</summary>
    private static string OfCaller(string value) => Ascii.IsValid(value) ? value : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value));

    /// <summary>Whether the value can be sent: the HTTP client rejects control characters other than a tab.</summary>
    private static bool CanBeSent(string value)
    {
        foreach (var character in value)
        {
            if (character is (< ' ' and not '\t') or '\x7F' or > '\xFF')
            {
                return false;
            }
        }

        return true;
    }
}
