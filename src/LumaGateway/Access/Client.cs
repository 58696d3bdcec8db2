namespace LumaGateway.Access;

/// <summary>Who is asking. One instance a client, shared by all its requests.</summary>
internal sealed record Client(string Name, Rights Rights)
{
    public static readonly Client Anonymous = new("anonymous", RightNames.Default);

    public bool May(Rights asked) => (Rights & asked) == asked;
}
