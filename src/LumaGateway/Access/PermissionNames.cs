namespace LumaGateway.Access;

/// <summary>The names of permissions in settings and tokens.</summary>
internal static class PermissionNames
{
    public const string All = "read, raw, create, delete, assets, purge, read-all";

    /// <summary>The permissions of a client without <c>Rights</c> in its settings, and of the anonymous client.</summary>
    public const Permissions Default = Permissions.Read | Permissions.Assets;

    /// <summary>Returns the names of the permissions, in the order of <see cref="All"/>.</summary>
    public static IEnumerable<string> Of(Permissions permissions) =>
        All.Split(", ").Where(name => TryParse(name, out var permission) && (permissions & permission) != 0);

    public static bool TryParse(string name, out Permissions permission)
    {
        permission = name switch
        {
            "read" => Permissions.Read,
            "raw" => Permissions.Raw,
            "create" => Permissions.Create,
            "delete" => Permissions.Delete,
            "assets" => Permissions.Assets,
            "purge" => Permissions.Purge,
            "read-all" => Permissions.ReadAll,
            _ => Permissions.None,
        };
        return permission is not Permissions.None;
    }
}
