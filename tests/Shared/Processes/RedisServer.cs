using System.Globalization;
using StackExchange.Redis;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A Redis server on a loopback port, with an empty folder: <c>redis-server</c> if it is installed, else Garnet, which is a .NET tool. Its methods simulate
/// faults of Redis.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private const string Program = "redis-server";

    /// <summary>The tool has 500 MB, so it is restored only if needed, and once.</summary>
    private static readonly Lazy<Task> Garnet = new(RestoreGarnetAsync);

    private readonly bool _isGarnet;
    private readonly string[] _arguments;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-redis-");
    private readonly bool _isSentinel;
    private readonly string _login;
    private readonly Lock _lock = new();
    private ChildProcess? _process;
    private Task<ConnectionMultiplexer>? _admin;

    private RedisServer(int port, bool isGarnet, string[] arguments)
    {
        (Port, _isGarnet, _isSentinel, _arguments) = (port, isGarnet, arguments.Contains("--sentinel"), arguments);
        _login = Array.IndexOf(arguments, "--requirepass") is >= 0 and var at ? $",password={arguments[at + 1]}" : string.Empty;
    }

    public static bool IsInstalled => Tool.IsInstalled(Program);

    /// <summary>Skips the running test if <c>redis-server</c> is not installed.</summary>
    public static void Require() => Tool.Require(Program);

    public int Port { get; }

    public string Endpoint => $"127.0.0.1:{Port}";

    public string Folder => _folder.FullName;

    /// <summary>Starts redis-server or Garnet.</summary>
    public static Task<RedisServer> StartAsync() => IsInstalled ? StartAsync(isGarnet: false, []) : StartGarnetAsync();

    /// <summary>Starts redis-server; call <see cref="Require"/> first. <c>{port}</c> and <c>{folder}</c> in the arguments are replaced.</summary>
    public static Task<RedisServer> StartAsync(params string[] arguments) => StartAsync(isGarnet: false, arguments);

    public static async Task<RedisServer> StartGarnetAsync()
    {
        await Garnet.Value;
        return await StartAsync(isGarnet: true, []);
    }

    /// <summary>Starts a Sentinel, which changes its configuration file.</summary>
    public static Task<RedisServer> StartSentinelAsync(string settings) => StartAsync(isGarnet: false, [settings, "--sentinel"]);

    /// <summary>Creates a server without starting it.</summary>
    public static RedisServer CreateStopped() => new(FreePort.Reserve(), isGarnet: false, []);

    /// <summary>Starts or restarts the server on its port, without data. Waits for its log line, because another program could listen on the port.</summary>
    public async Task RestartAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _process = _isGarnet
            ? ChildProcess.Start(
                ChildProcess.Dotnet,
                ["tool", "run", "garnet-server", "--", "--port", Number(Port), "--bind", "127.0.0.1", "--lua", "true", "--lua-transaction-mode", "true", "--memory", "64m", "--index", "8m"],
                directory: Repository.Root)
            : ChildProcess.Start(Program, _isSentinel
                ? [.. _arguments, "--port", Number(Port), "--bind", "127.0.0.1", "--dir", Folder]
                : ["--port", Number(Port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Folder, .. _arguments.Select(WithPlaceholdersReplaced)]);
        await _process.ReadAsync(line => line.Contains(_isSentinel ? "Sentinel ID is" : "Ready to accept connections", StringComparison.Ordinal) ? line : null);
    }

    public void Kill() => _process?.Kill();

    public void Pause() => _process!.Pause();

    public void Resume() => _process!.Resume();

    /// <summary>Makes every write fail, like a full Redis without an eviction policy.</summary>
    public async Task FillAsync()
    {
        await SetAsync("maxmemory-policy", "noeviction");
        await SetAsync("maxmemory", "1");
    }

    public Task RemoveMemoryLimitAsync() => SetAsync("maxmemory", "0");

    /// <summary>Makes it a replica of an unreachable master, so that reads succeed and writes fail.</summary>
    public async Task MakeReadOnlyAsync()
    {
        await ExecuteAsync("REPLICAOF", "127.0.0.1", Number(FreePort.Reserve()));
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

    private string WithPlaceholdersReplaced(string argument) =>
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
        lock (_lock)
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
