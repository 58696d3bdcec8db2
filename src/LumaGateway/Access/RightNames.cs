namespace LumaGateway.Access;

/// <summary>Rights as settings and tokens spell them.</summary>
internal static class RightNames
{
    public const string All = "read, raw, create, delete, assets, purge";

    /// <summary>What a client has whose settings name no rights, and what an anonymous caller has.</summary>
    public const Rights Default = Rights.Read | Rights.Assets;

    public static bool TryParse(string name, out Rights right)
    {
        right = name switch
        {
            "read" => Rights.Read,
            "raw" => Rights.Raw,
            "create" => Rights.Create,
            "delete" => Rights.Delete,
            "assets" => Rights.Assets,
            "purge" => Rights.Purge,
            _ => Rights.None,
        };
        return right is not Rights.None;
    }
}
