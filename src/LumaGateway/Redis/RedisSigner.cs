using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Redis;

/// <summary>
/// Signs bytes written to Redis and verifies bytes read from it, if <c>Cache:SigningKey</c> or <c>Cache:SigningKeyFile</c> is set: HMAC-SHA256 over the
/// Redis name and the bytes, appended to the bytes. Bytes are not accepted under another name. Without a key all bytes pass unchanged, except tickets, which are
/// always signed: then with a random key of this process. Thread-safe.
/// </summary>
internal sealed partial class RedisSigner(IOptions<SigningOptions> options, TimeProvider clock, ILogger<RedisSigner> logger) : BackgroundService
{
    private const int SignatureLength = HMACSHA256.HashSizeInBytes;

    private readonly SigningKeys _processKeys = SigningKeys.CreateRandom();

    private volatile SigningKeys? _keys = options.Value switch
    {
        { SigningKeyFile: { Length: > 0 } file } => SigningKeys.ReadFile(file) ?? throw new InvalidOperationException("Cache:SigningKeyFile became unreadable during start-up."),
        { SigningKey: { Length: > 0 } key } => SigningKeys.Parse(key),
        _ => null,
    };

    /// <summary>Whether there is a key. Constant while the process runs.</summary>
    public bool IsActive => _keys is not null;

    /// <summary>Returns the bytes with the signature of the first key; the bytes unchanged without a key.</summary>
    public byte[] Sign(SignedKind kind, string name, byte[] data) => KeysFor(kind) is { } keys ? SignWith(keys.Of(0, kind), name, data) : data;

    /// <summary>As <see cref="Sign"/>, once for each key: another replica may use the other key during a rotation.</summary>
    public IEnumerable<byte[]> SignWithEach(SignedKind kind, string name, byte[] data) =>
        KeysFor(kind) is { } keys ? Enumerable.Range(0, keys.Count).Select(index => SignWith(keys.Of(index, kind), name, data)) : [data];

    /// <summary>Returns false if no key verifies the signature. Compares in constant time.</summary>
    /// <param name="kind">The expected kind.</param>
    /// <param name="name">The Redis name of the bytes.</param>
    /// <param name="signed">The signed bytes.</param>
    /// <param name="data">The bytes without the signature.</param>
    public bool TryVerify(SignedKind kind, string name, ReadOnlySpan<byte> signed, out ReadOnlySpan<byte> data)
    {
        data = signed;
        if (KeysFor(kind) is not { } keys)
        {
            return true;
        }

        if (signed.Length < SignatureLength)
        {
            return false;
        }

        data = signed[..^SignatureLength];
        Span<byte> expected = stackalloc byte[SignatureLength];
        for (var index = 0; index < keys.Count; index++)
        {
            Compute(keys.Of(index, kind), name, data, expected);
            if (CryptographicOperations.FixedTimeEquals(expected, signed[^SignatureLength..]))
            {
                return true;
            }
        }

        return false;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => options.Value.SigningKeyFile is { Length: > 0 } file
        ? SecretFile.WatchAsync(
            () => SigningKeys.ReadFile(file), static (one, other) => one.SameAs(other), _keys!, ReplaceKeys, () => Log.FileUnreadable(logger), clock, stoppingToken)
        : Task.CompletedTask;

    private SigningKeys? KeysFor(SignedKind kind) => _keys ?? (kind is SignedKind.Ticket ? _processKeys : null);

    private static byte[] SignWith(byte[] key, string name, byte[] data)
    {
        var signed = new byte[data.Length + SignatureLength];
        data.CopyTo(signed, 0);
        Compute(key, name, data, signed.AsSpan(data.Length));
        return signed;
    }

    /// <summary>The length of the name comes first: no other name and bytes give the same input.</summary>
    private static void Compute(byte[] key, string name, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        var nameLength = Encoding.UTF8.GetByteCount(name);
        var length = sizeof(int) + nameLength + data.Length;
        var input = ArrayPool<byte>.Shared.Rent(length);
        BinaryPrimitives.WriteInt32LittleEndian(input, nameLength);
        Encoding.UTF8.GetBytes(name, input.AsSpan(sizeof(int)));
        data.CopyTo(input.AsSpan(sizeof(int) + nameLength));
        HMACSHA256.HashData(key, input.AsSpan(0, length), signature);
        ArrayPool<byte>.Shared.Return(input);
    }

    private void ReplaceKeys(SigningKeys keys)
    {
        _keys = keys;
        Log.KeysChanged(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(2051, LogLevel.Information, "Cache:SigningKeyFile changed; the gateway uses its new keys.")]
        public static partial void KeysChanged(ILogger logger);

        [LoggerMessage(2052, LogLevel.Warning, "Cache:SigningKeyFile is empty, unreadable or malformed; the gateway keeps its previous keys.")]
        public static partial void FileUnreadable(ILogger logger);
    }
}
