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

    /// <summary>Creates a generation with <c>POST /generations</c>, and returns it.</summary>
    Task<(string? Id, string? State)> CreateAsync(string prompt, string ratio, double duration, string key, string? prefer);

    /// <summary>Creates one with a field that the upstream cannot express.</summary>
    Task<(int Status, string? Code, string? Fields)> CreateUnsupportedAsync(string prompt, long seed);

    /// <summary>Deletes a generation; null without a problem.</summary>
    Task<(int Status, string? Code)?> DeleteAsync(string id);

    /// <summary>Creates a generation through the upstream's own API, and returns its id.</summary>
    Task<string?> CreateRawAsync(string prompt, string key);

    /// <summary>Returns the ids of at most <paramref name="limit"/> jobs in a state, created at <paramref name="from"/> or later.</summary>
    Task<IReadOnlyList<string?>> ListJobsAsync(string state, DateTimeOffset from, int limit);
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
        Require("problem", problem is (404, "generation_not_found", _) && problem.Message.Contains("There is no generation with this id, or this client may not see it.", StringComparison.Ordinal), problem);

        var key = Guid.NewGuid().ToString();
        var created = await client.CreateAsync("cat dance", "16:9", 5, key, null);
        var again = await client.CreateAsync("cat dance", "16:9", 5, key, null);
        Require("create", created is { Id.Length: > 0, State: "queued" or "processing" } && created == again, (created, again));
        var finished = await client.CreateAsync("cat dance", "16:9", 5, Guid.NewGuid().ToString(), "wait=30");
        Require("create and wait", finished.State is "completed", finished);
        var unsupported = await client.CreateUnsupportedAsync("cat dance", 7);
        Require("create problem", unsupported is (422, "unsupported_field", "seed"), unsupported);
        var deleted = await client.DeleteAsync(created.Id!);
        Require("delete problem", deleted is (409, "not_cancellable"), deleted);

        var rawKey = Guid.NewGuid().ToString();
        var raw = await client.CreateRawAsync("cat dance", rawKey);
        var rawAgain = await client.CreateRawAsync("cat dance", rawKey);
        Require("create raw", raw is { Length: > 0 } && raw == rawAgain, (raw, rawAgain));
        var state = (await client.GetAsync(raw!)).State;
        Require("get created", state is "queued" or "processing" or "completed", state);

        var hourAgo = DateTimeOffset.UtcNow.AddHours(-1).ToOffset(TimeSpan.FromHours(14)); // its local time is later than now
        var jobs = await client.ListJobsAsync("completed", hourAgo, 200);
        Require("jobs", jobs.Contains(finished.Id) && await client.ListJobsAsync("completed", hourAgo, 1) is [_], string.Join(' ', jobs));
    }

    private static void Require(string name, bool isTrue, object? actual) =>
        Console.WriteLine(isTrue ? $"ok {name}" : throw new InvalidOperationException($"{name}: {actual}"));
}
