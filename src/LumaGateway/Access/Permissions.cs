namespace LumaGateway.Access;

/// <summary>Permissions of a client. Settings call them rights.</summary>
[Flags]
internal enum Permissions
{
    None = 0,

    /// <summary>Read generations.</summary>
    Read = 1,

    /// <summary>Read the upstream's API under <c>/luma</c>.</summary>
    Raw = 2,

    /// <summary>Create generations, and POST under <c>/luma</c>.</summary>
    Create = 4,

    /// <summary>Delete generations, and DELETE under <c>/luma</c>.</summary>
    Delete = 8,

    /// <summary>Download assets.</summary>
    Assets = 16,

    /// <summary>Purge a generation from the cache.</summary>
    Purge = 32,

    /// <summary>See the generations of all groups, with <c>Access:Ownership</c> <c>Group</c>.</summary>
    ReadAll = 64,
}
