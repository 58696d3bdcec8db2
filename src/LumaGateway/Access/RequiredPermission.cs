namespace LumaGateway.Access;

/// <summary>Endpoint metadata: the right it asks for, and what methods that change something ask for besides.</summary>
/// <param name="Right">What every method asks for.</param>
/// <param name="ForPost">What POST asks for besides, and every other method that is neither safe (RFC 9110, section 9.2.1) nor DELETE.</param>
/// <param name="ForDelete">What DELETE asks for besides.</param>
internal sealed record RequiredPermission(Rights Right, Rights ForPost = Rights.None, Rights ForDelete = Rights.None)
{
    /// <summary>Whether each request goes on to the upstream; a read may be answered from the cache.</summary>
    public bool GoesUpstream => (Right & (Rights.Raw | Rights.Assets)) != 0;

    public Rights For(string method) => IsSafe(method) ? Right : HttpMethods.IsDelete(method) ? Right | ForDelete : Right | ForPost;

    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);
}
