using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Generations;
using LumaGateway.Problems;
using Microsoft.OpenApi;

namespace LumaGateway.Assets;

/// <summary>Maps the files of a generation: stable addresses in place of the upstream's links, which expire.</summary>
internal static class AssetEndpoints
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapAssets(this IEndpointRouteBuilder app)
    {
        var assets = app.MapGroup("/generations/{id}")
            .WithTags(DocumentTags.Assets)
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId));

        assets.MapMethods("/video", Methods, SendVideoAsync).Describe(AssetKind.Video, "video/mp4");
        assets.MapMethods("/image", Methods, SendImageAsync).Describe(AssetKind.Image, "image/jpeg");
        assets.MapMethods("/thumbnail", Methods, SendThumbnailAsync).Describe(AssetKind.Thumbnail, "image/jpeg");
        assets.MapMethods("/last_frame", Methods, SendLastFrameAsync).Describe(AssetKind.LastFrame, "image/jpeg");
        assets.MapMethods("/outputs/{n:int:min(0)}", Methods, SendOutputAsync).Describe("GetOutput", "Download an output by its index", AssetMediaType.Unknown);
    }

    private static void Describe(this RouteHandlerBuilder asset, AssetKind kind, string mediaType) =>
        asset.Describe($"Get{kind}", $"Download the {AssetKinds.NameOf(kind).Replace('_', ' ')}", mediaType);

    private static void Describe(this RouteHandlerBuilder asset, string name, string summary, string mediaType) => asset
        .WithName(name)
        .WithSummary(summary)
        .WithDescription("Streams the file from the upstream's CDN.")
        .WithMetadata(new DocumentedParameter("Range", ParameterLocation.Header, "One byte range, such as `bytes=0-1023`."))
        // 304 and 307 are only in the description of the tag: with a status without content in the list, Kiota generates a method that returns nothing.
        .Produces<Stream>(StatusCodes.Status200OK, mediaType)
        .Produces<Stream>(StatusCodes.Status206PartialContent, mediaType)
        .ProducesGatewayProblems(
        [
            .. ProblemResponses.OfReads, ProblemKinds.GenerationUnfinished, ProblemKinds.AssetNotFound, ProblemKinds.PreconditionFailed,
            ProblemKinds.RangeNotSatisfiable, ProblemKinds.AssetAddressRefused, ProblemKinds.AssetUnavailable, ProblemKinds.AssetNotMedia,
        ])
        .AcceptTickets()
        .RequirePermission(Permissions.Assets);

    private static Task SendVideoAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(new AssetSelector(AssetKind.Video), id, context, reader, sender);

    private static Task SendImageAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(new AssetSelector(AssetKind.Image), id, context, reader, sender);

    private static Task SendThumbnailAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(new AssetSelector(AssetKind.Thumbnail), id, context, reader, sender);

    private static Task SendLastFrameAsync(GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(new AssetSelector(AssetKind.LastFrame), id, context, reader, sender);

    private static Task SendOutputAsync(GenerationId id, int n, HttpContext context, GenerationReader reader, AssetSender sender) =>
        SendAsync(new AssetSelector(AssetKind.Output, n), id, context, reader, sender);

    private static async Task SendAsync(AssetSelector selector, GenerationId id, HttpContext context, GenerationReader reader, AssetSender sender)
    {
        if (context.Features.Get<TicketSecret>() is not null)
        {
            context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin"; // a page of another origin may show the file: the ticket is its permission
        }

        var result = await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);
        await sender.SendAsync(context, id, selector, result.Entry!);
    }
}
