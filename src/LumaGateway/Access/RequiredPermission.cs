namespace LumaGateway.Access;

/// <summary>Endpoint metadata: the permissions that an endpoint requires.</summary>
/// <param name="Permission">What every method requires.</param>
/// <param name="ForPost">What POST requires in addition, and every other method that is neither safe (RFC 9110, section 9.2.1) nor DELETE.</param>
/// <param name="ForDelete">What DELETE requires in addition.</param>
internal sealed record RequiredPermission(Permissions Permission, Permissions ForPost = Permissions.None, Permissions ForDelete = Permissions.None)
{
    /// <summary>Whether every request causes an upstream request. A read of a generation may be a cache hit.</summary>
    public bool GoesUpstream => (Permission & (Permissions.Raw | Permissions.Assets | Permissions.Create | Permissions.Delete)) != 0;

    public Permissions For(string method) => IsSafe(method) ? Permission : HttpMethods.IsDelete(method) ? Permission | ForDelete : Permission | ForPost;

    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);
}
