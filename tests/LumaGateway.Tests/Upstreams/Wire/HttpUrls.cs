using CsCheck;

namespace LumaGateway.Tests.Upstreams.Wire;

/// <summary>Generates http(s) URIs by the grammar of RFC 3986, appendix A, without user information.</summary>
internal static class HttpUrls
{
    private const string Unreserved = "abcxyzABCXYZ0189-._~";
    private const string SubDelimiters = "!$&'()*+,;=";

    private static readonly Gen<string> Escape = Gen.Int[0, 511].Select(value => value < 256 ? $"%{value:X2}" : $"%{value - 256:x2}");

    private static readonly Gen<string> HostCharacter = Gen.Frequency((9, CharacterOf(Unreserved + SubDelimiters)), (1, Escape));

    private static readonly Gen<string> PathCharacter = Gen.Frequency((8, CharacterOf(Unreserved + SubDelimiters + ":@/")), (2, Escape));

    private static readonly Gen<string> QueryCharacter = Gen.Frequency((8, CharacterOf(Unreserved + SubDelimiters + ":@/?")), (2, Escape));

    private static readonly Gen<string> Scheme = OneOf("https://", "http://", "HTTPS://", "Http://");

    private static readonly Gen<string> Host = Gen.Frequency(
        (6, TextOf(HostCharacter, 1, 20)),
        (2, OneOf("cdn.example.com", "storage.cdn-luma.com", "127.0.0.1", "xn--bcher-kva.example")),
        (1, OneOf("[::1]", "[2001:db8::7]", "[::ffff:192.0.2.1]")));

    private static readonly Gen<string> Port = Gen.Frequency((4, Gen.Const("")), (1, Gen.Int[0, 65535].Select(port => $":{port}")));

    private static readonly Gen<string> Path = Gen.Frequency((1, Gen.Const("")), (9, TextOf(PathCharacter, 0, 30).Select(path => "/" + path)));

    private static readonly Gen<string> Query = Gen.Frequency((1, Gen.Const("")), (2, TextOf(QueryCharacter, 0, 30).Select(query => "?" + query)));

    private static readonly Gen<string> Fragment = Gen.Frequency((3, Gen.Const("")), (1, TextOf(QueryCharacter, 0, 10).Select(fragment => "#" + fragment)));

    public static Gen<string> Any { get; } = Gen.Select(Gen.Select(Scheme, Host, Port), Gen.Select(Path, Query, Fragment), (left, right) =>
        string.Concat(left.Item1, left.Item2, left.Item3) + string.Concat(right.Item1, right.Item2, right.Item3));

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(at => texts[at]);

    private static Gen<string> CharacterOf(string characters) => Gen.Int[0, characters.Length - 1].Select(at => characters[at].ToString());

    private static Gen<string> TextOf(Gen<string> character, int shortest, int longest) => character.Array[shortest, longest].Select(string.Concat);
}
