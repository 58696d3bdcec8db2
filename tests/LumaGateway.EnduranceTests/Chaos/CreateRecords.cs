using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Proxy.Idempotency;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The records of keyed creates in Redis: deletes each once at most, half of them while the create runs. Thread-safe.</summary>
internal sealed class CreateRecords
{
    private const string Pattern = "luma-gateway:create:*";
    private const int SignatureBytes = 32;

    private readonly ConcurrentDictionary<string, Create> _creates = new();
    private volatile bool _areDeleted;

    /// <summary>Whether records are deleted just now.</summary>
    public bool AreDeleted
    {
        get => _areDeleted;
        set => _areDeleted = value;
    }

    /// <summary>From now on the record may be deleted; until <see cref="End"/>.</summary>
    public void Begin(string key) => _creates[DigestOf(key)] = new Create(IsForRunning: DigestOf(key)[0] < '8');

    public void End(string key) => _creates[DigestOf(key)].IsOver = true;

    /// <summary>A request of the create is sent, or has its response.</summary>
    public void Sends(string key, bool isUnderWay) => _creates[DigestOf(key)].IsUnderWay = isUnderWay;

    /// <summary>What was done to the record.</summary>
    public Deletion DeletionOf(string key) => _creates.TryGetValue(DigestOf(key), out var create) ? create.Deletion : Deletion.None;

    /// <summary>How many records were lost so, for people.</summary>
    public int Count(Deletion deletion) => _creates.Values.Count(create => create.Deletion == deletion);

    /// <summary>Deletes the records that there are, each at the moment chosen for it. Throws what Redis throws.</summary>
    public async Task DeleteAsync(RedisServer master)
    {
        var data = await master.DataAsync();
        foreach (var key in await master.KeysAsync(Pattern))
        {
            var name = key.ToString();
            if (_creates.TryGetValue(name[(name.LastIndexOf(':') + 1)..], out var create) && create is { IsOver: false, Deletion: Deletion.None } && create.IsUnderWay == create.IsForRunning)
            {
                create.Deletion = Deletion.Uncertain; // without a reply it may be done at any time
                var record = await data.StringGetDeleteAsync(key);
                create.Deletion = record.IsNull ? Deletion.None : IsRunning(record!) ? Deletion.WhileRunning : Deletion.AfterItsEnd;
            }
        }
    }

    /// <summary>A signature follows the record where the replicas have a signing key.</summary>
    private static bool IsRunning(byte[] record) =>
        (IdempotencyRecord.Deserialize(record) ?? IdempotencyRecord.Deserialize(record[..^Math.Min(SignatureBytes, record.Length)])) is { Response: null, IsOutcomeUnknown: false };

    /// <summary>The end of the record's name.</summary>
    private static string DigestOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"system-tests\n/luma/generations\n{key}")));

    private sealed record Create(bool IsForRunning)
    {
        private volatile Deletion _deletion;
        private volatile bool _isUnderWay;
        private volatile bool _isOver;

        public Deletion Deletion
        {
            get => _deletion;
            set => _deletion = value;
        }

        public bool IsUnderWay
        {
            get => _isUnderWay;
            set => _isUnderWay = value;
        }

        public bool IsOver
        {
            get => _isOver;
            set => _isOver = value;
        }
    }
}
