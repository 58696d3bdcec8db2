namespace LumaGateway.Access;

/// <summary>Endpoint metadata: the right it asks for, and what some methods ask for besides.</summary>
internal sealed record RequiredRight(Rights Right, Rights ForPost = Rights.None, Rights ForDelete = Rights.None)
{
    /// <summary>Whether each request goes on to the upstream; a read may be answered from the cache.</summary>
    public bool GoesUpstream => (Right & (Rights.Raw | Rights.Assets)) != 0;

    public Rights For(string method) =>
        HttpMethods.IsPost(method) ? Right | ForPost : HttpMethods.IsDelete(method) ? Right | ForDelete : Right;
}
