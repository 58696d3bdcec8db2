using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Jobs;
using LumaGateway.Problems;

namespace LumaGateway.OpenApi;

/// <summary>The example responses of the document, serialized like real responses.</summary>
internal static class Examples
{
    /// <summary>The sample in the relay's documentation.</summary>
    public const string CompletedId = "4665a07c-7641-4809-a133-10786201bb56";

    private const string ProcessingId = "a4a8f1ff-0001-4000-8000-000000000001";
    private const string Cdn = "https://storage.cdn-luma.com/dream-machine/b0d67582-c6f0-4973-a89c-3fea9d46d5e9";
    private const string VideoUrl = Cdn + "/35049450-c008-4607-b1d0-0b025599f15d/video0b6619468da8e409da860706bbf26bbad.mp4";
    private const string ThumbnailUrl = "https://imagedelivery.net/1KomXrSWiTojGGip43n0SQ/e4268de5-4a74-45ff-67b8-dc46df12de00/public";
    private const string LastFrameUrl = Cdn + "/606108d9-9daf-4265-84fb-595f18240ac5/video_0_last_frame.jpg";

    private static readonly DateTimeOffset JobTime = new(2026, 4, 8, 12, 10, 0, TimeSpan.Zero);

    private static JsonNode Completed { get; } = Serialize(Interim(CompletedId, GenerationState.Completed) with
    {
        CreatedAt = DateTimeOffset.Parse("2024-12-22T13:38:40.139Z", null),
        Video = new VideoAsset(VideoUrl, 1360, 752, 5.041667),
        Thumbnail = new ImageAsset(ThumbnailUrl, 1360, 752),
        LastFrame = new ImageAsset(LastFrameUrl, 1360, 752),
        Outputs =
        [
            new GenerationOutput(GenerationOutput.Video, VideoUrl, 1360, 752, 5.041667, OutputRole.Main, null),
            new GenerationOutput(GenerationOutput.Image, ThumbnailUrl, 1360, 752, null, OutputRole.Thumbnail, null),
            new GenerationOutput(GenerationOutput.Image, LastFrameUrl, 1360, 752, null, OutputRole.LastFrame, null),
        ],
    });

    private static JsonNode Processing { get; } = Serialize(Interim(ProcessingId, GenerationState.Processing));

    private static JsonNode Failed { get; } = Serialize(Interim("d290f1ee-6c54-4b01-90e6-d701748f0852", GenerationState.Failed) with
    {
        Failure = new GenerationFailure("content_moderated", "Generation output was flagged by our content moderation system.", Retryable: false),
    });

    private static JsonNode Jobs { get; } = JsonSerializer.SerializeToNode(
        new JobList(
            [
                new JobSummary(null, "acme-main", "dream-machine", "ray-2", JobTime.AddMinutes(1), JobState.Unknown),
                new JobSummary(CompletedId, "acme-main", "dream-machine", "ray-2", JobTime, JobState.Completed),
            ],
            new JobPosition(JobTime.ToUnixTimeMilliseconds(), CompletedId).ToCursor()),
        ContractsJson.Web.JobList)!;

    private static JsonNode Ticket { get; } = JsonSerializer.SerializeToNode(
        new GenerationTicket("AAAAAGnWR_ARd2ViLWFwcFDYWOCYXsx_YEGKrwzFq1h_QsJXCohAlanozKzQ9lRc", JobTime.AddMinutes(10)), ContractsJson.Web.GenerationTicket)!;

    /// <summary>The examples of successful responses and of requests.</summary>
    public static IReadOnlyList<(string Name, string? Summary, JsonNode Value)> OfResponses { get; } =
    [
        (DocumentedExamples.Completed, "Completed", Completed),
        (DocumentedExamples.Processing, "Processing", Processing),
        (DocumentedExamples.Failed, "Failed", Failed),
        (DocumentedExamples.Batch, "One processing, one unknown", new JsonObject
        {
            ["generations"] = new JsonArray(
                new JsonObject { ["id"] = ProcessingId, ["generation"] = Processing.DeepClone(), ["problem"] = null },
                new JsonObject { ["id"] = "unknown", ["generation"] = null, ["problem"] = Of(ProblemKinds.GenerationNotFound) }),
        }),
        (DocumentedExamples.Event, "One event", EventOf("p", Processing)),
        (DocumentedExamples.Jobs, "One whose outcome is unknown, one completed", Jobs),
        (DocumentedExamples.Ticket, "A ticket", Ticket),
        (DocumentedExamples.Create, null, new JsonObject { ["prompt"] = "cat dance", ["aspect_ratio"] = "16:9", ["duration"] = 5 }),
    ];

    public static JsonNode Of(ProblemKind kind) => JsonSerializer.SerializeToNode(
        new Problem(kind.Type, kind.Title, kind.Status, kind.Detail, "/generations/run-5-a", kind.Code, "0HNG5D3V2K8QF:00000001", TraceId: null),
        ContractsJson.Web.Problem)!;

    private static JsonNode EventOf(string id, JsonNode generation) => $"event: generation\nid: {id}\ndata: {generation.ToJsonString(ContractsJson.Web.Options)}\n\n";

    private static Generation Interim(string id, GenerationState state) => new(
        id, state, DateTimeOffset.Parse("2024-12-22T13:38:40Z", null), null, "cat dance", "16:9", null, null, null, null, [], null, null);

    private static JsonNode Serialize(Generation generation) => JsonSerializer.SerializeToNode(generation, ContractsJson.Web.Generation)!;
}
