using Xunit.Sdk;

namespace LumaGateway.SystemTests.Processes;

/// <summary>Child processes end with the test process, and their end is noticed. Needs <c>sh</c>.</summary>
public sealed class ChildProcessTests
{
    /// <summary>Set in a nested run of the test: the file for the address of the child process.</summary>
    private const string AddressFile = "LUMA_TESTS_ADDRESS_FILE";

    [Fact]
    public async Task A_killed_test_process_ends_its_child_and_grandchild_processes()
    {
        if (Environment.GetEnvironmentVariable(AddressFile) is { Length: > 0 } addressFile)
        {
            await RunAsNestedTestProcessAsync(addressFile);
        }

        Tool.Require("setsid"); // without process groups the grandchildren are not known
        var folder = Directory.CreateTempSubdirectory("luma-children-");
        var file = Path.Combine(folder.FullName, "address");
        await using var tests = ChildProcess.Start(
            ChildProcess.Dotnet,
            [typeof(ChildProcessTests).Assembly.Location, "-method", $"*.{nameof(A_killed_test_process_ends_its_child_and_grandchild_processes)}"],
            new Dictionary<string, string> { [AddressFile] = file });
        await Wait.UntilAsync(
            () =>
            {
                tests.AssertRuns();
                return File.Exists(file);
            },
            () => $"No child was started.\n{tests.Everything}");
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)) };
        Assert.True(await RespondsAsync(client));

        tests.KillAlone();

        await Wait.UntilAsync(async () => !await RespondsAsync(client), () => "The child outlived the test process.");
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_end_of_a_process_fails_a_read_with_the_whole_output()
    {
        await using var process = ChildProcess.Start("sh", ["-c", "echo first; echo second >&2; exit 3"]);

        var fault = await Assert.ThrowsAsync<XunitException>(() => process.ReadAsync(line => line is "never written" ? line : null));

        Assert.Contains("first", fault.Message, StringComparison.Ordinal);
        Assert.Contains("second", fault.Message, StringComparison.Ordinal);
        Assert.Equal(3, await process.WaitForExitAsync());
    }

    [Fact]
    public async Task The_last_line_before_the_end_is_read()
    {
        await using var process = ChildProcess.Start("sh", ["-c", "echo ready"]);
        await process.WaitForExitAsync();

        Assert.Equal("ready", await process.ReadAsync(line => line));
    }

    [Fact]
    public async Task A_program_whose_port_is_taken_is_restarted_with_another_port()
    {
        var ports = new List<int>();

        var line = await FreePort.UseAsync(async port =>
        {
            ports.Add(port);
            await using var process = ChildProcess.Start("sh", ["-c", ports.Count is 1 ? "echo 'bind: Address already in use'; exit 1" : "echo listening"]);
            return await process.ReadAsync(line => line is "listening" ? line : null);
        });

        Assert.Equal("listening", line);
        Assert.Equal(2, ports.Distinct().Count());
    }

    /// <summary>Does not return, because the process is killed.</summary>
    private static async Task RunAsNestedTestProcessAsync(string file)
    {
        string[] sandbox = [ChildProcess.Dotnet, Path.Combine(AppContext.BaseDirectory, "LumaGateway.Sandbox.dll"), "--alone", "--urls", "http://127.0.0.1:0"];
        await using var child = OperatingSystem.IsLinux()
            ? ChildProcess.Start("sh", ["-c", "\"$0\" \"$@\" & wait", .. sandbox]) // the sandbox is a grandchild
            : ChildProcess.Start(sandbox[0], sandbox[1..]);
        var address = await child.ReadAsync(line => line.Split("listening on ") is [_, var found] ? found : null);
        await File.WriteAllTextAsync($"{file}.new", address, TestContext.Current.CancellationToken);
        File.Move($"{file}.new", file);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private static async Task<bool> RespondsAsync(HttpClient client)
    {
        try
        {
            using var response = await client.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
