using Xunit.Sdk;

namespace LumaGateway.SystemTests.Processes;

/// <summary>What every other test of this suite relies on: a child does not outlive the test process, and its end is noticed. Needs <c>sh</c> alone.</summary>
public sealed class ChildProcessTests
{
    /// <summary>Tells a second run of a test that it plays the test process, and where to write the address of its child.</summary>
    private const string AddressFile = "LUMA_TESTS_ADDRESS_FILE";

    [Fact]
    public async Task A_child_and_its_own_child_end_with_the_test_process_even_when_that_is_killed()
    {
        if (Environment.GetEnvironmentVariable(AddressFile) is { Length: > 0 } told)
        {
            await PlayTestProcessAsync(told);
        }

        var folder = Directory.CreateTempSubdirectory("luma-children-");
        var file = Path.Combine(folder.FullName, "address");
        await using var tests = ChildProcess.Start(
            ChildProcess.Dotnet,
            [typeof(ChildProcessTests).Assembly.Location, "-method", $"*.{nameof(A_child_and_its_own_child_end_with_the_test_process_even_when_that_is_killed)}"],
            new Dictionary<string, string> { [AddressFile] = file });
        await Wait.UntilAsync(
            () =>
            {
                tests.AssertRuns();
                return File.Exists(file);
            },
            () => $"No child was started.\n{tests.Everything}");
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)) };
        Assert.True(await AnswersAsync(client));

        tests.KillAlone();

        await Wait.UntilAsync(async () => !await AnswersAsync(client), () => "The child outlived the test process.");
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_end_of_a_process_is_told_at_once_with_all_that_it_wrote()
    {
        await using var process = ChildProcess.Start("sh", ["-c", "echo first; echo second >&2; exit 3"]);

        var fault = await Assert.ThrowsAsync<XunitException>(() => process.ReadAsync(line => line is "never written" ? line : null));

        Assert.Contains("first", fault.Message, StringComparison.Ordinal);
        Assert.Contains("second", fault.Message, StringComparison.Ordinal);
        Assert.Equal(3, await process.WaitForExitAsync());
    }

    [Fact]
    public async Task A_line_that_is_written_just_before_the_end_is_read()
    {
        await using var process = ChildProcess.Start("sh", ["-c", "echo ready"]);
        await process.WaitForExitAsync();

        Assert.Equal("ready", await process.ReadAsync(line => line));
    }

    [Fact]
    public async Task A_program_whose_port_is_taken_is_started_again_with_another_one()
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

    /// <summary>Never returns: it is killed.</summary>
    private static async Task PlayTestProcessAsync(string file)
    {
        string[] sandbox = [ChildProcess.Dotnet, Path.Combine(AppContext.BaseDirectory, "LumaGateway.Sandbox.dll"), "--alone", "--urls", "http://127.0.0.1:0"];
        await using var child = OperatingSystem.IsLinux()
            ? ChildProcess.Start("sh", ["-c", "\"$0\" \"$@\" & wait", .. sandbox]) // the sandbox is the child's child
            : ChildProcess.Start(sandbox[0], sandbox[1..]);
        var address = await child.ReadAsync(line => line.Split("listening on ") is [_, var found] ? found : null);
        await File.WriteAllTextAsync($"{file}.new", address, TestContext.Current.CancellationToken);
        File.Move($"{file}.new", file);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
