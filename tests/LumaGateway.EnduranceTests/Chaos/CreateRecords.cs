using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Proxy.Idempotency;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Deletes the idempotency records in Redis, each at most once, half of them while the create runs. Thread-safe.</summary>
internal sealed class CreateRecords
{
    private const string Pattern = "luma-gateway:{ledger}:create:*";
    private const int SignatureBytes = 32;

    private readonly ConcurrentDictionary<string, Create> _creates = new();
    private readonly ConcurrentDictionary<string, string> _digests = new();
    private volatile bool _isDeleting;

    /// <summary>Whether records are being deleted now.</summary>
    public bool IsDeleting
    {
        get => _isDeleting;
        set => _isDeleting = value;
    }

    /// <summary>Allows the deletion of the record of a create at this path until <see cref="Complete"/>.</summary>
    public void Add(string path, string key)
    {
        var digest = DigestOf(path, key);
        _creates[digest] = new Create(DeleteWhileRunning: digest[0] < '8');
        _digests[key] = digest;
    }

    public void Complete(string key) => _creates[_digests[key]].IsCompleted = true;

    /// <summary>Marks whether a request of the create is in flight.</summary>
    public void SetInFlight(string key, bool isInFlight) => _creates[_digests[key]].IsInFlight = isInFlight;

    /// <summary>How the record was deleted.</summary>
    public Deletion DeletionOf(string key) => _digests.TryGetValue(key, out var digest) ? _creates[digest].Deletion : Deletion.None;

    /// <summary>The number of records that were deleted in this way.</summary>
    public int Count(Deletion deletion) => _creates.Values.Count(create => create.Deletion == deletion);

    /// <summary>Deletes each existing record if the create is in the state chosen for it. Does not catch exceptions of Redis.</summary>
    public async Task DeleteAsync(RedisServer master)
    {
        var data = await master.DataAsync();
        foreach (var key in await master.KeysAsync(Pattern))
        {
            var name = key.ToString();
            if (_creates.TryGetValue(name[(name.LastIndexOf(':') + 1)..], out var create) && create is { IsCompleted: false, Deletion: Deletion.None } && create.IsInFlight == create.DeleteWhileRunning)
            {
                create.Deletion = Deletion.Unconfirmed; // without a reply, Redis may delete it at any time
                var record = await data.StringGetDeleteAsync(key);
                create.Deletion = record.IsNull ? Deletion.None : IsRunning(record!) ? Deletion.WhileRunning : Deletion.AfterCompletion;
            }
        }
    }

    /// <summary>With a signing key, a signature follows the record.</summary>
    private static bool IsRunning(byte[] record) =>
        (IdempotencyRecord.Deserialize(record) ?? IdempotencyRecord.Deserialize(record[..^Math.Min(SignatureBytes, record.Length)])) is { Response: null, IsOutcomeUnknown: false };

    /// <summary>The last part of the Redis key.</summary>
    private static string DigestOf(string path, string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"system-tests\n{path}\n{key}")));

    private sealed record Create(bool DeleteWhileRunning)
    {
        private volatile Deletion _deletion;
        private volatile bool _isInFlight;
        private volatile bool _isCompleted;

        public Deletion Deletion
        {
            get => _deletion;
            set => _deletion = value;
        }

        public bool IsInFlight
        {
            get => _isInFlight;
            set => _isInFlight = value;
        }

        public bool IsCompleted
        {
            get => _isCompleted;
            set => _isCompleted = value;
        }
    }
}
