using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;

namespace LumaGateway.Assets;

/// <summary>Maps the files of a generation: stable addresses in place of the upstream's links, which expire.</summary>
internal static class AssetEndpoints
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapAssets(this IEndpointRouteBuilder app)
    {
        var assets = app.MapGroup("/generations/{id}")
            .WithTags("Assets")
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId));

        assets.MapMethods("/video", Methods, SendVideoAsync).Describe(AssetKind.Video, "video/mp4");
        assets.MapMethods("/image", Methods, SendImageAsync).Describe(AssetKind.Image, "image/jpeg");
        assets.MapMethods("/thumbnail", Methods, SendThumbnailAsync).Describe(AssetKind.Thumbnail, "image/jpeg");
        assets.MapMethods("/last_frame", Methods, SendLastFrameAsync).Describe(AssetKind.LastFrame, "image/jpeg");
    }

    private static void Describe(this RouteHandlerBuilder asset, AssetKind kind, string mediaType) => asset
        .WithName($"Get{kind}")
        .WithSummary($"Download the {AssetKinds.NameOf(kind).Replace('_', ' ')}")
        .WithDescription("Streams the file from the upstream's CDN. Supports `Range` and conditional requests. The address stays valid when the upstream's link expires.")
        .Produces(StatusCodes.Status200OK, contentType: mediaType)
        .Produces(StatusCodes.Status206PartialContent, contentType: mediaType)
        .Produces(StatusCodes.Status304NotModified)
        .Produces(StatusCodes.Status307TemporaryRedirect)
        .ProducesGatewayProblems(
        [
            .. ProblemResponses.OfReads, ProblemKinds.GenerationUnfinished, ProblemKinds.AssetNotFound, ProblemKinds.PreconditionFailed,
            ProblemKinds.RangeNotSatisfiable, ProblemKinds.AssetAddressRefused, ProblemKinds.AssetUnavailable, ProblemKinds.AssetNotMedia,
        ])
        .RequirePermission(Permissions.Assets);

    private static Task SendVideoAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(AssetKind.Video, id, context, reader, sender);

    private static Task SendImageAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(AssetKind.Image, id, context, reader, sender);

    private static Task SendThumbnailAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(AssetKind.Thumbnail, id, context, reader, sender);

    private static Task SendLastFrameAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(AssetKind.LastFrame, id, context, reader, sender);

    private static async Task SendAsync(AssetKind kind, GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender)
    {
        var result = await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);
        await sender.SendAsync(context, id, kind, result.Entry!);
    }
}
