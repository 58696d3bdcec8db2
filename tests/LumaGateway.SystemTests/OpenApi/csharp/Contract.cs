namespace Clients;

/// <summary>What every generated client must be able to do. Each method returns what the checks compare.</summary>
internal interface IGeneratedClient
{
    Task<(string? State, string? VideoUrl, int Outputs)> GetAsync(string id);

    Task<string?> WaitAsync(string id, string prefer);

    Task<IReadOnlyList<(string? Id, string? State, string? ProblemCode)>> GetSeveralAsync(params string[] ids);

    Task<byte[]> DownloadVideoAsync(string id);

    /// <summary>Reads an unknown id.</summary>
    Task<(int Status, string? Code, string Message)> FailAsync(string id);

    /// <summary>Creates a generation through the upstream's own API, and returns its id.</summary>
    Task<string?> CreateAsync(string prompt, string key);
}

internal static class Contract
{
    private const string Sample = "4665a07c-7641-4809-a133-10786201bb56";

    public static async Task CheckAsync(IGeneratedClient client)
    {
        var one = await client.GetAsync(Sample);
        Require("get", one is { State: "completed", VideoUrl: ['h', 't', 't', 'p', ..], Outputs: > 0 }, one);

        var waited = await client.WaitAsync("run-1-generated", "wait=30");
        Require("wait", waited is "completed", waited);

        var several = await client.GetSeveralAsync(Sample, "unknown-1");
        Require("batch", several is [(Sample, "completed", null), ("unknown-1", null, "generation_not_found")], string.Join("; ", several));

        var video = await client.DownloadVideoAsync("done-generated");
        Require("asset", video.Length == 1_000_000 && video.AsSpan(4, 4).SequenceEqual("ftyp"u8), video.Length);

        var problem = await client.FailAsync("unknown-2");
        Require("problem", problem is (404, "generation_not_found", _) && problem.Message.Contains("The upstream does not know this id.", StringComparison.Ordinal), problem);

        var key = Guid.NewGuid().ToString();
        var created = await client.CreateAsync("cat dance", key);
        var again = await client.CreateAsync("cat dance", key);
        Require("create", created is { Length: > 0 } && created == again, (created, again));
        var state = (await client.GetAsync(created!)).State;
        Require("get created", state is "queued" or "processing" or "completed", state);
    }

    private static void Require(string name, bool isTrue, object? actual) =>
        Console.WriteLine(isTrue ? $"ok {name}" : throw new InvalidOperationException($"{name}: {actual}"));
}
