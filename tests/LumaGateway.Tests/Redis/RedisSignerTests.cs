using System.Text;
using CsCheck;
using LumaGateway.Redis;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Redis;

/// <summary>Signatures: signed bytes verify only under their own name, kind and key. Needs nothing.</summary>
public sealed class RedisSignerTests
{
    private const string Name = "luma-gateway:2:account:dialect:{g1}:final";

    private static readonly byte[] Data = "data"u8.ToArray();
    private static readonly RedisSigner Old = Signers.Of(Signers.Key);
    private static readonly RedisSigner New = Signers.Of(Signers.NewKey);

    [Theory]
    [InlineData("")]
    [InlineData("data")]
    public void Signed_bytes_verify_and_are_returned_unchanged(string text)
    {
        var signed = Old.Sign(SignedKind.Entry, Name, Encoding.UTF8.GetBytes(text));

        Assert.True(Old.TryVerify(SignedKind.Entry, Name, signed, out var data));
        Assert.Equal(text, Encoding.UTF8.GetString(data));
        Assert.True(Signers.Of(Signers.Key).TryVerify(SignedKind.Entry, Name, signed, out _)); // a signer of another replica
    }

    [Fact]
    public void Bytes_do_not_verify_under_another_name_kind_or_key()
    {
        var signed = Old.Sign(SignedKind.Entry, Name, Data);

        Assert.False(Verifies(Old, signed, name: Name.Replace("g1", "g2", StringComparison.Ordinal)));
        Assert.False(Verifies(Old, signed, name: Name.Replace("final", "interim", StringComparison.Ordinal)));
        Assert.False(Verifies(Old, signed, name: Name.Replace("account", "other", StringComparison.Ordinal)));
        Assert.False(Verifies(Old, signed, name: Name + "d"));
        Assert.False(Verifies(Old, signed, kind: SignedKind.Message));
        Assert.False(Verifies(Old, signed, kind: SignedKind.Record));
        Assert.False(Verifies(New, signed));
        Assert.True(Verifies(Old, signed));
    }

    [Fact]
    public void Bytes_that_are_not_signed_do_not_verify() => Assert.All(
        [[], Data, new byte[31], new byte[32], new byte[100]],
        bytes => Assert.False(Verifies(Old, bytes)));

    [Fact]
    public void During_a_rotation_the_first_key_signs_and_both_verify()
    {
        var rotating = Signers.Of($"{Signers.NewKey},{Signers.Key}");

        Assert.True(Verifies(rotating, Old.Sign(SignedKind.Entry, Name, Data)));
        Assert.True(Verifies(rotating, New.Sign(SignedKind.Entry, Name, Data)));
        Assert.Equal(New.Sign(SignedKind.Entry, Name, Data), rotating.Sign(SignedKind.Entry, Name, Data));
        Assert.Equal([New.Sign(SignedKind.Entry, Name, Data), Old.Sign(SignedKind.Entry, Name, Data)], rotating.SignWithEach(SignedKind.Entry, Name, Data));
    }

    [Fact]
    public void Without_a_key_bytes_are_unchanged()
    {
        Assert.False(Signers.None.IsActive);
        Assert.Same(Data, Signers.None.Sign(SignedKind.Entry, Name, Data));
        Assert.Equal([Data], Signers.None.SignWithEach(SignedKind.Entry, Name, Data));
        Assert.True(Signers.None.TryVerify(SignedKind.Entry, Name, Data, out var data));
        Assert.Equal("data", Encoding.UTF8.GetString(data));
    }

    [Fact]
    public void Changed_truncated_and_extended_bytes_do_not_verify() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 10_000], Gen.Int[1, 255]).Sample(
            (data, position, change) =>
            {
                var signed = Old.Sign(SignedKind.Entry, Name, data);
                var changed = (byte[])signed.Clone();
                changed[position % signed.Length] ^= (byte)change;
                Assert.False(Verifies(Old, changed));
                Assert.False(Verifies(Old, signed[..(position % signed.Length)]));
                Assert.False(Verifies(Old, [.. signed, (byte)change]));
                Assert.True(Verifies(Old, signed));
            },
            iter: PropertyCases.Of(10_000));

    [Fact]
    public void The_keys_have_no_text_form() => Assert.Equal("***", SigningKeys.Parse(Signers.Key)!.ToString());

    [Theory]
    [InlineData("0123456789012345678901234567890", false)]
    [InlineData("01234567890123456789012345678901", true)]
    [InlineData(" 01234567890123456789012345678901\n", true)]
    [InlineData("01234567890123456789012345678901\n01234567890123456789012345678902", true)]
    [InlineData("01234567890123456789012345678901,01234567890123456789012345678902,01234567890123456789012345678903", false)]
    [InlineData("01234567890123456789012345678901 ü", false)]
    [InlineData("", false)]
    public void A_key_has_at_least_32_characters_and_there_are_at_most_two(string text, bool isUsable) => Assert.Equal(isUsable, SigningKeys.Parse(text) is not null);

    [Fact]
    public void SigningKey_and_SigningKeyFile_together_stop_the_start()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Signers.Key);
            using var gateway = new Gateway().With("Cache:SigningKey", Signers.Key).With("Cache:SigningKeyFile", file);

            Assert.ThrowsAny<Exception>(() => gateway.CreateCaller());

            Assert.Contains("Cache:SigningKey and Cache:SigningKeyFile must not both be set.", gateway.StartFaults);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static bool Verifies(RedisSigner signer, byte[] signed, SignedKind kind = SignedKind.Entry, string name = Name) =>
        signer.TryVerify(kind, name, signed, out _);
}
