namespace LumaGateway.Access;

/// <summary>What a client may do. Reading is cheap; creating costs money and deleting loses work, so neither comes by default.</summary>
[Flags]
internal enum Rights
{
    None = 0,

    /// <summary>Read generations.</summary>
    Read = 1,

    /// <summary>Read the upstream's own API under <c>/luma</c>.</summary>
    Raw = 2,

    /// <summary>POST under <c>/luma</c>.</summary>
    Create = 4,

    /// <summary>DELETE under <c>/luma</c>.</summary>
    Delete = 8,

    /// <summary>Fetch the bytes of assets.</summary>
    Assets = 16,

    /// <summary>Make the cache forget an answer.</summary>
    Purge = 32,
}
