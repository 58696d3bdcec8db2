using LumaGateway.Redis;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Redis;

/// <summary>Creates signers for tests.</summary>
internal static class Signers
{
    public const string Key = "signing-key-of-the-tests-0123456789";
    public const string NewKey = "new-signing-key-of-the-tests-9876543210";

    /// <summary>A signer without a key.</summary>
    public static RedisSigner None { get; } = Of("");

    /// <param name="keys">One key, or two separated by a comma.</param>
    public static RedisSigner Of(string keys) =>
        new(Options.Create(new SigningOptions { SigningKey = keys }), TimeProvider.System, NullLogger<RedisSigner>.Instance);
}
