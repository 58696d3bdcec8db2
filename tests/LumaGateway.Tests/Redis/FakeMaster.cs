using System.Reflection;
using StackExchange.Redis;

namespace LumaGateway.Tests.Redis;

/// <summary>A server that claims to be the master, as the client shows it: its replicas, and how many of them confirm a write.</summary>
#pragma warning disable CA1852 // a proxy derives from it
internal class FakeMaster : DispatchProxy
#pragma warning restore CA1852
{
    public int OnlineReplicas { get; set; }

    public int ConfirmingReplicas { get; set; }

    /// <summary>The number of <c>WAIT</c> commands.</summary>
    public int Waits { get; private set; }

    public IServer Server => (IServer)(object)this;

    public static FakeMaster Create(int online = 0, int confirming = 0)
    {
        var master = (FakeMaster)(object)Create<IServer, FakeMaster>();
        (master.OnlineReplicas, master.ConfirmingReplicas) = (online, confirming);
        return master;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => (targetMethod!.Name, args) switch
    {
        ("get_IsConnected", _) => true,
        ("get_IsReplica", _) => false,
        ("get_ClusterConfiguration", _) => null,
        ("ExecuteAsync", ["INFO", object[] section]) when section is ["memory"] => Task.FromResult(RedisResult.Create((RedisValue)"maxmemory_policy:noeviction\r\n")),
        ("ExecuteAsync", ["INFO", ..]) => Task.FromResult(RedisResult.Create((RedisValue)Replication())),
        ("ExecuteAsync", ["WAIT", ..]) => Task.FromResult(Wait()),
        _ => throw new NotSupportedException(targetMethod.ToString()),
    };

    /// <summary>A replica that loads its first copy is listed too.</summary>
    private string Replication() =>
        $"# Replication\r\nrole:master\r\n{string.Concat(Enumerable.Range(0, OnlineReplicas).Select(static i => $"slave{i}:ip=127.0.0.1,port=1,state=online,offset=1,lag=0\r\n"))}slave9:ip=127.0.0.1,port=2,state=wait_bgsave,offset=0,lag=0\r\n";

    private RedisResult Wait()
    {
        Waits++;
        return RedisResult.Create((RedisValue)ConfirmingReplicas);
    }
}
