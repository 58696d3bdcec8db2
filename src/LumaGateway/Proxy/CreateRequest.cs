namespace LumaGateway.Proxy;

/// <summary>Tells creates from the other POST requests under <c>/luma</c>.</summary>
internal static class CreateRequest
{
    private const string Files = "/luma/files";

    /// <summary>Whether the request creates a generation. A POST below <c>/luma/files</c> uploads a file.</summary>
    public static bool Is(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            return false;
        }

        var path = CanonicalPath.Of(context, lowercaseCatchAll: true);
        return path != Files && !path.StartsWith(Files + "/", StringComparison.Ordinal);
    }
}
