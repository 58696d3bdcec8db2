using System.Globalization;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

/// <summary>Generates requests with random errors, as an attacker or a faulty program sends them. One character is one byte.</summary>
internal static class RandomRequest
{
    private static readonly string[] Methods = ["GET", "GET", "GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "G\tET", "", "GET\0", "PROPFIND", new string('M', 300)];

    private static readonly string[] Paths =
    [
        "/generations/g1", "/generations/g1", "/generations/g1/cache", "/generations/", "/generations//", "/generations/%67%31", "/generations/g1%2F..", "/generations/%2e%2e/x",
        "/generations/..%2f..%2fetc%2fpasswd", "/generations/%00", "/generations/g1%00", "/generations/%0d%0aInjected:%20yes", "/generations/g1%0aInjected: yes",
        "/generations/%c0%ae%c0%ae", "/generations/%ff%fe", "/generations/%e2%80%ae", "/generations/\u00e4\u00f6", "/generations/%u0041", "/generations/%", "/generations/%2",
        "/generations/%25%32%35", "/generations/g1;x=1", "/generations/g1?x=%0d%0aInjected:1", "/generations/g1?\u0001", "/generations/g1#frag", "/generations?ids=" + "a,", "/generations/a\\b",
        "/luma/generations/g1", "/luma/../generations/g1", "/luma/%2e%2e/%2e%2e/admin", "/luma//generations/g1", "/luma/generations/g1/../../secret", "/luma/generations/%2e%2e%2fcredits",
        "/luma/generations/g1%3fx", "/luma/generations/a%0d%0aX:%20y", "/luma/generations/%5c..%5c", "/luma/http://evil.test/", "//evil.test/luma/generations/g1", "/\\evil.test", "/", "", "*", "g1",
        "http://evil.test/generations/g1", "https://user:pass@evil.test:99999/generations/g1", "evil.test:443", "http://", "/swagger", "/swagger/../generations/g1", "/swagger/%2e%2e/%2e%2e/appsettings.json",
        "/swagger/..%5c..%5cappsettings.json", "/openapi/v1.json", "/openapi/%2e%2e", "/openapi/v2.json", "/health/live", "/health/../metrics", "/metrics", "/status", "/callbacks/luma/x", "/generations/events?ids=a",
    ];

    private static readonly string[] Versions = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "http/1.1", "HTTP/11", "", "HTTP/1.1 extra"];

    private static readonly string[] Headers =
    [
        "Content-Length: 0", "Content-Length: 5", "Content-Length: -1", "Content-Length: 5, 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 99999999999999999999", "Content-Length: +5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity", "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", " Transfer-Encoding: chunked", "X: y\r\n Transfer-Encoding: chunked",
        "X-Request-Id: a\rInjected: yes", "X-Request-Id: a\nInjected: yes", "X-Request-Id: \u0000", "X-Request-Id: \u00ff\u00fe", "X-Request-Id: a, b", "X-Request-Id: \"><script>", "X Y: z", "X\0Y: z", ": no name",
        "no colon", "X-\u00e4: y", "Host: other.test", "Host:", "Host: a b", "Host: evil.test:99999", "Host: [::1", "Expect: 100-continue", "Expect: 200-maybe", "Connection: upgrade\r\nUpgrade: websocket",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: close, X-Api-Key", "Connection: transfer-encoding", "TE: trailers", "Trailer: X-Api-Key",
        "Range: bytes=0-", "Range: bytes=9999999999999999999-0", "Range: bytes=--1,,", "If-None-Match: *", "If-None-Match: \"", "If-None-Match: W/\"\", \"a\", ,", "If-Modified-Since: never", "Accept-Encoding: \u0001",
        "Accept: ;;;q=", "Prefer: wait=99999999999999999999", "Prefer: wait=-1", "Prefer: ,,;=", "Last-Event-ID: \"\"", "Authorization: Bearer", "Authorization: Bearer a.b.c", "Authorization: Bearer ..", "Authorization: Basic Og==",
        "Authorization: \u0007", "X-Api-Key: ", "X-Api-Key: wrong\r\nX-Api-Key: wrong", "Cookie: " + "a=b; ", "traceparent: 00-zz-zz-zz", "traceparent: 00-00000000000000000000000000000000-0000000000000000-00", "baggage: a=%0d%0a",
        "X-Forwarded-For: 1.2.3.4, 5.6.7.8", "X-Forwarded-Host: evil.test", "Forwarded: for=\"_x\";host=evil", "X-HTTP-Method-Override: DELETE", "X-Original-URL: /metrics", "Content-Type: application/json; charset=utf-99",
        "X-Long: ", "X-Many: ",
    ];

    private static readonly string[] Bodies =
    [
        "", "", "", "hello", "5\r\nhello\r\n0\r\n\r\n", "5;ext=\"\r\n\"\r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nx", "-1\r\nx\r\n", "0\r\nX-Api-Key: x\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhel",
        "0\r\n\r\nGET /generations/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "{\"prompt\":", "\0\0\0\0", "0x5\r\nhello\r\n0\r\n\r\n",
    ];

    public static string Next(Random random)
    {
        var text = new StringBuilder();
        for (var requests = random.Next(4) == 0 ? random.Next(2, 4) : 1; requests > 0; requests--)
        {
            AppendRequest(text, random);
        }

        return Damaged(text.ToString(), random);
    }

    /// <summary>Most requests have only a few unusual parts, because a request with many is rejected early.</summary>
    private static void AppendRequest(StringBuilder text, Random random)
    {
        var chance = random.Next(3);
        bool IsUnusual() => random.Next(4) < chance;

        text.Append(IsUnusual() ? PickFrom(Methods, random) : "GET").Append(' ').Append(random.Next(4) == 0 ? "/generations/g1" : PickFrom(Paths, random));
        if (random.Next(40) == 0)
        {
            text.Append('/').Append('p', random.Next(1, 20_000));
        }

        text.Append(' ').Append(IsUnusual() ? PickFrom(Versions, random) : "HTTP/1.1").Append("\r\n");
        if (random.Next(20) != 0)
        {
            text.Append("Host: gateway.test\r\n");
        }

        if (random.Next(4) != 0)
        {
            text.Append("X-Api-Key: ").Append(Gateway.Key).Append("\r\n");
        }

        for (var headers = random.Next(1 + (2 * chance)); headers > 0; headers--)
        {
            var header = PickFrom(Headers, random);
            text.Append(header);
            switch (header)
            {
                case "X-Long: " or "Cookie: a=b; ":
                    text.Append('v', random.Next(1, 40_000));
                    break;
                case "X-Many: ":
                    for (var i = random.Next(1, 200); i > 0; i--)
                    {
                        text.Append(CultureInfo.InvariantCulture, $"\r\nX-{i}: {i}");
                    }

                    break;
            }

            text.Append("\r\n");
        }

        text.Append("\r\n").Append(IsUnusual() ? PickFrom(Bodies, random) : "");
    }

    /// <summary>Damages one of three texts: changes, removes or doubles bytes, or cuts off the end.</summary>
    private static string Damaged(string text, Random random)
    {
        if (random.Next(3) != 0)
        {
            return text;
        }

        var bytes = new StringBuilder(text);
        for (var changes = random.Next(1, 4); changes > 0 && bytes.Length > 1; changes--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (char)random.Next(256);
                    break;
                case 1:
                    bytes.Remove(at, 1);
                    break;
                case 2:
                    bytes.Insert(at, bytes[at]);
                    break;
                default:
                    bytes.Length = at;
                    break;
            }
        }

        return bytes.ToString();
    }

    private static string PickFrom(string[] all, Random random) => all[random.Next(all.Length)];
}
