using Microsoft.Net.Http.Headers;

namespace LumaGateway.Sandbox.Assets;

/// <summary>
/// <c>/assets/{size}/{name}</c>: a file of that many bytes, of the type of the extension, with Range and validators. It needs no token.
/// 403 after a presigned URL has expired.
/// </summary>
internal static class AssetEndpoints
{
    private static readonly DateTimeOffset Modified = new(2024, 12, 22, 13, 38, 40, TimeSpan.Zero);

    public static void MapAssets(this WebApplication app) =>
        app.MapMethods("/assets/{size:long:min(0)}/{name}", [HttpMethods.Get, HttpMethods.Head], Read);

    private static IResult Read(long size, string name, HttpRequest request, AssetLinks links)
    {
        if (links.IsExpired(request.Query))
        {
            const string Expired = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
            return Results.Text(Expired, "application/xml", statusCode: StatusCodes.Status403Forbidden);
        }

        var kind = AssetKind.Of(name);
        return Results.Stream(
            new SyntheticFile(kind.Header, size),
            kind.MediaType,
            lastModified: Modified,
            entityTag: new EntityTagHeaderValue($"\"{size:x}{Path.GetExtension(name)}\""),
            enableRangeProcessing: true);
    }
}
