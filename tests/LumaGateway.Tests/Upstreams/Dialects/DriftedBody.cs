using System.Net;
using System.Text.Json;
using CsCheck;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>A response that an upstream could send in future: a body of a known upstream with up to eight changes.</summary>
internal sealed record DriftedBody(string Dialect, string Id, int Status, string Body)
{
    private const string Relayed = """
        {"id":"g1","state":"completed","prompt":"p","created_at":1734874720,"model":"m","failure_reason":"why",
         "video":{"url":"https://h/marked","download_url":"https://h/d?X-Amz-Date=20260408T120500Z&X-Amz-Expires=3600",
                  "width":"1360","height":752.0,"thumbnail":"https://h/t"},
         "artifact":{"video_raw":{"url":"https://h/raw","duration":"5.04"},"last_frame":{"url":"https://h/l","width":1,"height":2}}}
        """;

    private static readonly (string Dialect, string Id, string Body)[] Seeds =
    [
        .. Fixtures(),
        ("relay", "g1", Relayed),
        ("relay", "g1", """{"id":"g1","state":"failed","error":{"code":"c","message":"why"},"video":null}"""),
        ("dream-machine", "g1", """{"id":"g1","type":"image","state":"dreaming","version":"m","assets":{"image":"https://h/i"}}"""),
        ("agents", "g1",
            """{"id":"g1","type":"image","state":"completed","output":[{"type":"image","url":"https://h/i?se=2026-04-08"}]}"""),
        ("new-api", "g1",
            $$$"""{"code":"success","data":{"task_id":"g1","status":"SUCCESS","fail_reason":"https://h/o","data":{{{Relayed}}} }}"""),
        ("new-api", "g1", """{"code":"","data":{"task_id":"g1","status":"FAILURE","fail_reason":"why","submit_time":1734874720}}"""),
        ("piapi", "g1", $$$"""{"code":200,"data":{"task_id":"g1","status":"Completed","error":{"code":0},"output":{{{Relayed}}} }}"""),
        ("piapi", "g1", """{"code":200,"data":{"task_id":"g1","status":"Failed","error":{"code":10000,"message":"why"},"output":null}}"""),
    ];

    private static readonly int[] Statuses = [200, 200, 200, 200, 200, 200, 200, 200, 200, 204, 400, 404, 500];

    private static readonly string[] Names = [.. Dialects.Dialect.All.Select(dialect => dialect.Name)];

    private static readonly Gen<Mutation> AnyMutation =
        Gen.Select(Gen.Int[0, Mutation.Kinds - 1], Gen.Int[0, 999], Gen.Int[0, 999], (kind, at, choice) => new Mutation(kind, at, choice));

    /// <summary>A drifted body, mostly for the dialect of its original and sometimes for another dialect.</summary>
    public static Gen<DriftedBody> Any { get; } = Gen.Select(
        Gen.Int[0, Seeds.Length - 1],
        AnyMutation.Array[0, 8],
        Gen.Int[0, 49],
        Gen.Int[0, Statuses.Length - 1],
        (seed, mutations, reader, status) => new DriftedBody(
            reader < Names.Length ? Names[reader] : Seeds[seed].Dialect,
            Seeds[seed].Id,
            Statuses[status],
            mutations.Aggregate(Seeds[seed].Body, (body, mutation) => mutation.ApplyTo(body))));

    /// <summary>Returns the result of the dialect; null if the dialect throws an <see cref="UpstreamException"/>.</summary>
    public DialectResult? Read()
    {
        using var document = JsonDocument.Parse(Body, new JsonDocumentOptions { MaxDepth = 1000 });
        try
        {
            return Dialects.Dialect.Named(Dialect)
                .Read(GenerationId.Parse(Id, provider: null), (HttpStatusCode)Status, document.RootElement);
        }
        catch (UpstreamException)
        {
            return null;
        }
    }

    private static IEnumerable<(string Dialect, string Id, string Body)> Fixtures()
    {
        var root = Path.Combine(AppContext.BaseDirectory, "fixtures");
        foreach (var expected in Directory.EnumerateFiles(root, "*.expected.json", SearchOption.AllDirectories).Order())
        {
            using var result = JsonDocument.Parse(File.ReadAllText(expected));
            var body = File.ReadAllText(expected.Replace(".expected.json", ".json", StringComparison.Ordinal));
            yield return (Path.GetFileName(Path.GetDirectoryName(expected))!, result.RootElement.GetProperty("id").GetString()!, body);
        }
    }
}
