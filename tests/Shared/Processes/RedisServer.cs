using System.Globalization;
using StackExchange.Redis;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A real RESP server on a loopback port, in a folder of its own, empty: <c>redis-server</c> where it is installed, else Garnet, which comes
/// as a .NET tool. The one place where Redis is made to fail.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private const string Program = "redis-server";

    /// <summary>Half a gigabyte: fetched only where a test needs it, and once.</summary>
    private static readonly Lazy<Task> Garnet = new(RestoreGarnetAsync);

    private readonly bool _isGarnet;
    private readonly string[] _arguments;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-redis-");
    private readonly bool _isSentinel;
    private readonly string _login;
    private readonly Lock _gate = new();
    private ChildProcess? _process;
    private Task<ConnectionMultiplexer>? _admin;

    private RedisServer(int port, bool isGarnet, string[] arguments)
    {
        (Port, _isGarnet, _isSentinel, _arguments) = (port, isGarnet, arguments.Contains("--sentinel"), arguments);
        _login = Array.IndexOf(arguments, "--requirepass") is >= 0 and var at ? $",password={arguments[at + 1]}" : string.Empty;
    }

    public static bool IsInstalled => Tool.IsInstalled(Program);

    /// <summary>Skips the running test where there is no <c>redis-server</c>.</summary>
    public static void Require() => Tool.Require(Program);

    public int Port { get; }

    public string Endpoint => $"127.0.0.1:{Port}";

    public string Folder => _folder.FullName;

    /// <summary>Whichever server there is.</summary>
    public static Task<RedisServer> StartAsync() => IsInstalled ? StartAsync(isGarnet: false, []) : StartGarnetAsync();

    /// <summary>Needs <c>redis-server</c>: <see cref="Require"/> it first. In the arguments, <c>{port}</c> stands for its port and <c>{folder}</c> for its folder.</summary>
    public static Task<RedisServer> StartAsync(params string[] arguments) => StartAsync(isGarnet: false, arguments);

    public static async Task<RedisServer> StartGarnetAsync()
    {
        await Garnet.Value;
        return await StartAsync(isGarnet: true, []);
    }

    /// <summary>A Sentinel, which writes to its settings' file itself.</summary>
    public static Task<RedisServer> StartSentinelAsync(string settings) => StartAsync(isGarnet: false, [settings, "--sentinel"]);

    /// <summary>A server that does not run yet.</summary>
    public static RedisServer NotYet() => new(FreePort.Lasting(), isGarnet: false, []);

    /// <summary>Starts it (again): empty, on the port it always had. Its own word is waited for: whatever else listens there is not taken for it.</summary>
    public async Task RestartAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _process = _isGarnet
            ? ChildProcess.Start(
                ChildProcess.Dotnet,
                ["tool", "run", "garnet-server", "--", "--port", Number(Port), "--bind", "127.0.0.1", "--lua", "true", "--memory", "64m", "--index", "8m"],
                directory: Repository.Root)
            : ChildProcess.Start(Program, _isSentinel
                ? [.. _arguments, "--port", Number(Port), "--bind", "127.0.0.1", "--dir", Folder]
                : ["--port", Number(Port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Folder, .. _arguments.Select(Filled)]);
        await _process.ReadAsync(line => line.Contains(_isSentinel ? "Sentinel ID is" : "Ready to accept connections", StringComparison.Ordinal) ? line : null);
    }

    public void Kill() => _process?.Kill();

    public void Pause() => _process!.Pause();

    public void Resume() => _process!.Resume();

    /// <summary>Makes every write fail from now on, as a Redis without an eviction policy does when it is full.</summary>
    public async Task FillAsync()
    {
        await SetAsync("maxmemory-policy", "noeviction");
        await SetAsync("maxmemory", "1");
    }

    public Task EmptyAsync() => SetAsync("maxmemory", "0");

    /// <summary>Makes it a replica of nobody that can be found: reads go on, writes are refused.</summary>
    public async Task MakeReadOnlyAsync()
    {
        await ExecuteAsync("REPLICAOF", "127.0.0.1", Number(FreePort.Lasting()));
        await SetAsync("replica-serve-stale-data", "yes");
    }

    public Task MakeWritableAsync() => ExecuteAsync("REPLICAOF", "NO", "ONE");

    public Task SetPasswordAsync(string password) => SetAsync("requirepass", password);

    public async Task<RedisResult> ExecuteAsync(string command, params object[] arguments) =>
        await (await AdminAsync()).GetServer(Endpoint).ExecuteAsync(command, arguments);

    public async Task<IDatabase> DataAsync() => (await AdminAsync()).GetDatabase();

    public async Task<RedisKey[]> KeysAsync(string pattern) =>
        await (await AdminAsync()).GetServer(Endpoint).KeysAsync(pattern: pattern).ToArrayAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_admin is not null)
        {
            await (await _admin).DisposeAsync();
        }

        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private static Task<RedisServer> StartAsync(bool isGarnet, string[] arguments) => FreePort.UseAsync(async port =>
    {
        var server = new RedisServer(port, isGarnet, arguments);
        try
        {
            await server.RestartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    });

    private string Filled(string argument) =>
        argument.Replace("{port}", Number(Port), StringComparison.Ordinal).Replace("{folder}", Folder, StringComparison.Ordinal);

    private static async Task RestoreGarnetAsync()
    {
        await using var restore = ChildProcess.Start(ChildProcess.Dotnet, ["tool", "restore"], directory: Repository.Root);
        Assert.True(await restore.WaitForExitAsync(TimeSpan.FromMinutes(10)) == 0, $"dotnet tool restore failed.\n{restore.Everything}");
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task SetAsync(string parameter, string value) => await (await AdminAsync()).GetServer(Endpoint).ConfigSetAsync(parameter, value);

    private Task<ConnectionMultiplexer> AdminAsync()
    {
        lock (_gate)
        {
            return _admin ??= ConnectAsync();
        }

        async Task<ConnectionMultiplexer> ConnectAsync()
        {
            var options = ConfigurationOptions.Parse($"{Endpoint},allowAdmin=true,abortConnect=false,connectTimeout=30000,syncTimeout=60000,asyncTimeout=60000{_login}");
            options.CommandMap = _isSentinel ? CommandMap.Sentinel : CommandMap.Default;
            return await ConnectionMultiplexer.ConnectAsync(options);
        }
    }
}
