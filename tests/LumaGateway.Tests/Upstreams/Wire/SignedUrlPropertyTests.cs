using System.Globalization;
using CsCheck;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Tests.Upstreams.Wire;

/// <summary>Properties of the expiry that is read from a link, for any link. Needs nothing.</summary>
public sealed class SignedUrlPropertyTests
{
    private static readonly string[] Names =
    [
        "X-Amz-Date", "X-Amz-Expires", "x-amz-signature", "X-Goog-Date", "X-Goog-Expires", "X--Date", "X--Expires", "X-Date", "Expires", "se", "exp", "e", "q-sign-time", "Policy", "Signature", "sig", "",
    ];

    private static readonly string[] Values =
    [
        "20260408T120000Z", "99991231T235959Z", "20260230T000000Z", "3600", "0", "-1", "9223372036854775807", "99999999999999999999", "1790000000", "1790000000;1790000600", ";", "2026-04-08T12:00:00Z",
        "2026-04-08T12%3A00%3A00%2B14%3A00", "%", "%zz", "%00", "eyJTdGF0ZW1lbnQiOlt7IkNvbmRpdGlvbiI6eyJEYXRlTGVzc1RoYW4iOnsiQVdTOkVwb2NoVGltZSI6MTc5MDAwMDAwMH19fV19", "bnVsbA__", "W10_",
    ];

    private static readonly Gen<string> Pair = Gen.Select(
        Gen.OneOf(Gen.Int[0, Names.Length - 1].Select(index => Names[index]), Gen.String[Gen.Char["XxDatexpirs-_&=?#%"], 0, 12]),
        Gen.OneOf(Gen.Int[0, Values.Length - 1].Select(index => Values[index]), Gen.String[Gen.Char["0123456789TZ-:;%&=?#+_~ae"], 0, 24], Gen.String[0, 10]),
        (name, value) => $"{name}={value}");

    private static readonly Gen<string> Link = Gen.OneOf(
        Pair.Array[0, 6].Select(pairs => $"https://h/v.mp4?{string.Join('&', pairs)}"),
        Gen.String[0, 40],
        Gen.String[Gen.Char["?&=#X-DateExpires019TZ%"], 0, 60]);

    [Fact]
    public void Any_text_has_an_expiry_in_UTC_or_none_and_the_fragment_does_not_change_it() => PropertyCases.Check(
        Link,
        link =>
        {
            var expiry = SignedUrl.ExpiryOf(link);
            var isSigned = SignedUrl.IsSigned(link);

            Assert.True(expiry is null || expiry.Value.Offset == TimeSpan.Zero, link);
            Assert.Equal((expiry, isSigned), (SignedUrl.ExpiryOf($"{link}#Expires=1790000000&sig=a"), SignedUrl.IsSigned($"{link}#Expires=1790000000&sig=a")));
        },
        50_000);

    [Fact]
    public void The_expiry_is_the_signing_time_and_the_lifetime_in_any_order() => PropertyCases.Check(
        Gen.Select(Gen.Long[0, 250_000_000_000], Gen.Long[0, 100_000_000], Gen.Bool),
        link =>
        {
            var (signedAt, lifetime, isReversed) = link;
            var time = DateTimeOffset.FromUnixTimeSeconds(signedAt);
            var (date, expires) = ($"X-V-Date={time.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}", $"x-v-expires={lifetime}");

            Assert.Equal(time.AddSeconds(lifetime), SignedUrl.ExpiryOf(isReversed ? $"https://h/?{expires}&{date}" : $"https://h/?{date}&{expires}"));
        },
        50_000);
}
