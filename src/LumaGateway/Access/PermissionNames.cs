namespace LumaGateway.Access;

/// <summary>Rights as settings and tokens spell them.</summary>
internal static class PermissionNames
{
    public const string All = "read, raw, create, delete, assets, purge";

    /// <summary>What a client has whose settings name no rights, and what an anonymous caller has.</summary>
    public const Rights Default = Rights.Read | Rights.Assets;

    /// <summary>The names of all rights among these, in the order of <see cref="All"/>.</summary>
    public static IEnumerable<string> Of(Rights rights) =>
        All.Split(", ").Where(name => TryParse(name, out var right) && (rights & right) != 0);

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
