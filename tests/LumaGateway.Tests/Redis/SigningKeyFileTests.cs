using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Redis;

/// <summary>Reloading of the signing keys when their file changes. Needs nothing.</summary>
public sealed class SigningKeyFileTests : IAsyncLifetime
{
    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(2);
    private static readonly byte[] Data = [1, 2, 3];

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeLogCollector _logs = new();
    private readonly string _file = Path.GetTempFileName();
    private RedisSigner _signer = null!;

    public async ValueTask InitializeAsync()
    {
        File.WriteAllText(_file, Signers.Key);
        _signer = new RedisSigner(Options.Create(new SigningOptions { SigningKeyFile = _file }), _clock, new FakeLogger<RedisSigner>(_logs));
        await _signer.StartAsync(TestContext.Current.CancellationToken).WithTimeout();
    }

    public async ValueTask DisposeAsync()
    {
        await _signer.StopAsync(CancellationToken.None).WithTimeout();
        _signer.Dispose();
        File.Delete(_file);
    }

    [Fact]
    public async Task A_changed_file_is_used_without_a_restart()
    {
        Assert.True(HasKey(Signers.Key));
        File.WriteAllText(_file, $"{Signers.NewKey}\n{Signers.Key}\n");

        await ReadFileUntilAsync(() => HasKey(Signers.NewKey));

        Assert.True(HasKey(Signers.Key));
        Assert.Equal(Signed(Signers.NewKey), _signer.Sign(SignedKind.Record, "name", Data));
        Assert.Equal((LogLevel.Information, 2051), Assert.Single(_logs.GetSnapshot().Select(log => (log.Level, log.Id.Id))));
    }

    [Fact]
    public async Task A_file_without_a_usable_key_keeps_the_keys_and_warns_once()
    {
        File.WriteAllText(_file, "short");
        await ReadFileUntilAsync(() => _logs.Count > 0);
        File.WriteAllText(_file, $"{Signers.Key},{Signers.NewKey}");
        await ReadFileUntilAsync(() => HasKey(Signers.NewKey));

        Assert.True(HasKey(Signers.Key));
        Assert.Equal([2052, 2051], _logs.GetSnapshot().Select(log => log.Id.Id));
    }

    /// <summary>Advances the clock, so that the file is read again, until the condition holds.</summary>
    private Task ReadFileUntilAsync(Func<bool> holds) => Eventually.TrueAsync(() =>
    {
        _clock.Advance(ReadInterval);
        return holds();
    });

    private bool HasKey(string key) => _signer.TryVerify(SignedKind.Record, "name", Signed(key), out _);

    private static byte[] Signed(string key) => Signers.Of(key).Sign(SignedKind.Record, "name", Data);
}
