using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using LumaGateway.Access;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Benchmarks;

/// <summary>Who is asking, and whether it may ask again: the same for one client as for ten thousand.</summary>
public class AccessBenchmarks
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(Pieces.KeyOf(0));
    private readonly byte[] _hash = new byte[SHA256.HashSizeInBytes];
    private readonly string _right = Pieces.KeyOf(0);
    private readonly string _wrong = Pieces.KeyOf(-1);
    private ServiceProvider _services = null!;
    private ClientDirectory _clients = null!;
    private ClientLimiter _allowance = null!;

    [Params(1, 10_000)]
    public int Clients { get; set; }

    [GlobalSetup]
    public void Build()
    {
        _services = Pieces.Build(Clients);
        _clients = _services.GetRequiredService<ClientDirectory>();
        _allowance = _clients.Find(_right)!.ClientLimiter;
        _allowance.Become(new ClientLimits(1_000_000_000, 1_000_000_000, 1000, 5)); // out of reach of a loop, too
    }

    [GlobalCleanup]
    public void End() => _services.Dispose();

    [Benchmark]
    public int HashKey() => SHA256.HashData(_key, _hash);

    [Benchmark]
    public bool FindRightKey() => _clients.Find(_right) is not null;

    [Benchmark]
    public bool FindWrongKey() => _clients.Find(_wrong) is not null;

    [Benchmark]
    public bool EnterAndLeave()
    {
        var refused = _allowance.TryEnter(out _) is not null;
        _allowance.Leave();
        return refused;
    }
}
