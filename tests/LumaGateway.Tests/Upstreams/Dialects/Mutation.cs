using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>One change to a body. The result is valid JSON, but not necessarily of a documented shape. Bodies are ASCII.</summary>
/// <param name="Kind">The kind of the change: see <see cref="ApplyTo"/>.</param>
/// <param name="Position">The index of the changed value or name in the body, modulo their number.</param>
/// <param name="Choice">The index of the unusual value, name or other place, modulo their number.</param>
internal readonly record struct Mutation(int Kind, int Position, int Choice)
{
    public const int Kinds = 9;

    private static readonly string[] Names =
    [
        "id", "task_id", "state", "status", "data", "output", "artifact", "assets", "request", "input", "video", "video_raw", "image",
        "thumbnail", "last_frame", "url", "download_url", "result_url", "fail_reason", "failure_reason", "failure_code", "error",
        "code", "message", "detail", "created_at", "submit_time", "width", "height", "duration", "prompt", "aspect_ratio", "model",
        "version", "type", "generation_type", "internal_state", "gone", "\\ud800", "vide\\ud800", "i\\udc00",
    ];

    private static readonly string[] UnusualValues =
    [
        "null", "true", "\"\"", "\" \"", "[]", "{}", "[[]]", "[null]", "0", "-1", "-0.0", "1360", "1360.0", "1e3", "1e999", "-1e999",
        "2147483648", "9223372036854775808", "0.1", "5e-324", "1.7976931348623157e308", "\"1360\"", "\"5.04\"", "\"5s\"", "\"NaN\"",
        "\"Infinity\"", "\"1e999\"", "\"-1\"", "\"\\ud800\"", "\"\\udc00x\"", "\"a\\ud83d\\ude00b\"", "\"\\u0000\\u001f\\u2028\"",
        "1734874720", "1734874720139", "253402300800000", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.999999999-14:00\"",
        "\"0001-01-01T00:00:00+14:00\"", "\"2024-12-22T13:38:40.123456789Z\"", "\"2024-02-30\"", "\"image\"", "\"video\"", "\"success\"",
        "\"failed\"", "\"FAILURE\"", "\"Completed\"", "\"canceled\"", "\"dreaming\"", "\"queued\"", "\"UNKNOWN\"", "\"task_not_exist\"",
        "200", "404", "500", "\"https://h/v.mp4\"", "\"http://h\"", "\"HTTPS://H/V?Expires=1775653500\"", "\"//h/v\"", "\"/v.mp4\"",
        "\"ftp://h/v\"", "\"javascript:alert(1)\"", "\"data:video/mp4,\"", "\"https://user:secret@h/v\"", "\"https://h/a b\"",
        "\"https://h/\\ud800\"", "\"https://h/\\u0000\"", "\"https://h\\\\@x/\"", "\"https://\"",
        "\"https://h/%zz\"", "\"file:///etc/passwd\"",
        "\"https://h/v?X-Amz-Date=99991231T235959Z&X-Amz-Expires=9223372036854775807\"", "\"https://h/v?se=9999-12-31T23:59:59-14:00\"",
        "\"https://h/v?X-Goog-Date=20260408T120500Z&X-Goog-Expires=60\"", "{\"url\":\"https://h/v\",\"width\":\"7\",\"duration\":1e999}",
        "{\"code\":1,\"message\":\"boom\"}", "{\"code\":0}",
        "[{\"type\":\"video\",\"url\":\"https://h/o\"},{\"type\":\"image\",\"url\":\"o\"}]",
        "{\"message\":{},\"code\":[]}", "{\"\\ud800\":1}", "\"https://[::1\"", "\"https://h:99999/\"", "\"https://xn--/\"", "\"http:h\"",
    ];

    public string ApplyTo(string body)
    {
        var (values, names) = Places(body);
        var value = values[Position % values.Count];
        var old = body[value];
        var unusual = UnusualValues[Choice % UnusualValues.Length];
        var name = Names[Choice % Names.Length];

        return Kind switch
        {
            0 => Replaced(body, value, unusual),
            1 => Replaced(body, value, "null"),
            2 => Replaced(body, value, $"[{old}]"),
            3 => Replaced(body, value, $"[{old},{unusual}]"),
            4 => Replaced(body, value, $"{{\"{name}\":{old}}}"),
            5 => Replaced(body, value, string.Concat(new string('[', 50), old, new string(']', 50))),
            6 => Replaced(body, value, body[values[Choice % values.Count]]),
            7 when old[0] is '{' => Replaced(body, value, WithMember(old, name, UnusualValues[Position % UnusualValues.Length])),
            _ when names.Count > 0 => Replaced(body, names[Position % names.Count], $"\"{name}\""),
            _ => body,
        };
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}/{Position}/{Choice}");

    // First or last, so that the added one of two members with one name is read in half of the cases.
    private string WithMember(string members, string name, string value)
    {
        var isEmpty = members.AsSpan(1).TrimStart()[0] is '}';
        var member = $"\"{name}\":{value}";
        return (isEmpty, Choice % 2) switch
        {
            (true, _) => $"{{{member}}}",
            (false, 0) => $"{{{member},{members[1..]}",
            (false, _) => $"{members[..^1]},{member}}}",
        };
    }

    private static string Replaced(string body, Range range, string text) =>
        string.Concat(body.AsSpan(0, range.Start.Value), text, body.AsSpan(range.End.Value));

    private static (List<Range> Values, List<Range> Names) Places(string body)
    {
        var reader = new Utf8JsonReader(Encoding.ASCII.GetBytes(body), new JsonReaderOptions { MaxDepth = 1000 });
        var (values, names, open) = (new List<Range>(), new List<Range>(), new Stack<int>());
        while (reader.Read())
        {
            var range = (int)reader.TokenStartIndex..(int)reader.BytesConsumed;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    open.Push(values.Count);
                    values.Add(range);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    var start = open.Pop();
                    values[start] = values[start].Start..range.End;
                    break;
                case JsonTokenType.PropertyName:
                    // BytesConsumed includes the colon. The value of the name does not include its two quotes.
                    names.Add(range.Start..(range.Start.Value + reader.ValueSpan.Length + 2));
                    break;
                default:
                    values.Add(range);
                    break;
            }
        }

        return (values, names);
    }
}
