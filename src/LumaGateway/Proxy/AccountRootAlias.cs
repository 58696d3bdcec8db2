namespace LumaGateway.Proxy;

/// <summary>
/// Serves <c>/luma/dream-machine/v1/…</c> as <c>/luma/…</c>: some SDKs add the path of Luma's own root to the base address. The path is rewritten before routing, so
/// permissions, idempotency keys and the cache see one resource.
/// </summary>
internal static class AccountRootAlias
{
    private static readonly PathString Alias = "/luma/dream-machine/v1";
    private static readonly PathString Root = "/luma";

    public static void UseAccountRootAlias(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        if (context.Request.Path.StartsWithSegments(Alias, out var rest))
        {
            context.Request.Path = Root + rest;
        }

        return next(context);
    });
}
