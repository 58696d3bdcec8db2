using Microsoft.Extensions.Options;

namespace LumaGateway.Redis;

/// <summary>The key that authenticates entries, messages and idempotency records in Redis. Bound to <c>Cache</c>.</summary>
internal sealed class SigningOptions
{
    public const string Section = "Cache";

    /// <summary>The key that signs what replicas write to Redis, and tickets, equal on all of them, 32 characters or more; two keys separated by a comma during a rotation. Empty: nothing in Redis is signed, and each process signs tickets with a random key. Never logged.</summary>
    public string SigningKey { get; set => field = value ?? ""; } = "";

    /// <summary>A file that holds the key, or two on two lines; read again when it changes.</summary>
    public string SigningKeyFile { get; set => field = value ?? ""; } = "";
}

/// <summary>Validates <see cref="SigningOptions"/>. Messages never contain a key.</summary>
internal sealed class SigningOptionsRules : IValidateOptions<SigningOptions>
{
    public ValidateOptionsResult Validate(string? name, SigningOptions options)
    {
        return options switch
        {
            { SigningKey.Length: > 0, SigningKeyFile.Length: > 0 } =>
                ValidateOptionsResult.Fail("Cache:SigningKey and Cache:SigningKeyFile must not both be set."),
            { SigningKey: { Length: > 0 } key } when SigningKeys.Parse(key) is null =>
                ValidateOptionsResult.Fail($"Cache:SigningKey must hold one key, or two separated by a comma, each of {SigningKeys.Form}."),
            { SigningKeyFile: { Length: > 0 } file } when SigningKeys.ReadFile(file) is null =>
                ValidateOptionsResult.Fail($"Cache:SigningKeyFile must name a readable file that holds one key, or two on two lines, each of {SigningKeys.Form}."),
            _ => ValidateOptionsResult.Success,
        };
    }
}
