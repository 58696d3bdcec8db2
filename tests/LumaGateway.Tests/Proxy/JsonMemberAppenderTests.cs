using System.Text;
using CsCheck;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Proxy;

/// <summary>A member is appended to a JSON object for every division into chunks. Needs nothing.</summary>
public sealed class JsonMemberAppenderTests
{
    private static readonly string[] Objects =
        ["{}", " { }\n", """{"a":"}"}""", """{"a":{"b":{}}}  """, """{"a":"{"}""", "{\"a\":{} \n\n }", """{"a":"x}  ","b":[{}]}"""];

    [Fact]
    public void The_member_is_the_last_one_for_every_division_into_chunks() =>
        Gen.Select(Gen.Int[0, Objects.Length - 1], Gen.Int[0, 20], Gen.Int[1, 7]).Sample(
            (index, start, chunk) =>
            {
                var json = Objects[index];
                var brace = json.LastIndexOf('}');
                var separator = json[..brace].TrimEnd() is [.., '{'] && json.Trim().Replace(" ", "", StringComparison.Ordinal) == "{}" ? ' ' : ',';

                var result = Append(json, Math.Min(start, json.Length), chunk);

                Assert.Equal($"{json[..brace]}{separator}\"m\":1{json[brace..]}", result);
            },
            iter: PropertyCases.Of(2_000));

    [Fact]
    public void A_brace_before_much_white_space_is_refused() =>
        Assert.Throws<BadHttpRequestException>(() => Append($"{{\"a\":{{}}{new string(' ', 5000)},\"b\":1}}", 0, 100));

    [Fact]
    public void Without_a_member_the_bytes_are_unchanged() => Assert.Equal("no JSON } ", Append("no JSON } ", 3, 2, ""));

    private static string Append(string json, int start, int chunk, string member = "\"m\":1")
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        using var source = new Chunks(bytes[start..], chunk);
        using var appender = new JsonMemberAppender(bytes.AsMemory(0, start), source, Encoding.UTF8.GetBytes(member));
        using var result = new MemoryStream();
        appender.CopyToAsync(result).GetAwaiter().GetResult();
        Assert.Equal(bytes.Length + appender.AddedBytes, result.Length);
        return Encoding.UTF8.GetString(result.ToArray());
    }

    private sealed class Chunks(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
