namespace LumaGateway.Access;

/// <summary>An issuer whose JWTs are accepted in addition to client keys. Bound to <c>Access:Jwt</c>; read once, at start-up.</summary>
internal sealed class JwtOptions
{
    /// <summary>The issuer's address. <c>.well-known/openid-configuration</c> below it refers to the key set. https, or http on loopback.</summary>
    public string Authority { get; set => field = value ?? ""; } = "";

    /// <summary>The value that <c>aud</c> must contain. Required with <see cref="Authority"/>.</summary>
    public string Audience { get; set => field = value ?? ""; } = "";

    /// <summary>The claim with the client name.</summary>
    public string ClientNameClaim { get; set => field = value ?? ""; } = "client_id";

    /// <summary>The claim with the permissions, separated by spaces or as an array. Unknown words are ignored.</summary>
    public string RightsClaim { get; set => field = value ?? ""; } = "scope";

    /// <summary>The claim with the client's group, a text as in <c>Access:Clients:&lt;n&gt;:Group</c>. Empty, or a token without it: the client's name. The issuer decides with it whose generations a client sees.</summary>
    public string GroupClaim { get; set => field = value ?? ""; } = "";

    /// <summary>The maximum size of a token, 1024 to 65536 bytes. A larger one gets a 401 that names the limit. <c>Server:MaxHeaderBytes</c> limits it too.</summary>
    public int MaxTokenBytes { get; set; } = 8 * 1024;

    public bool IsConfigured => Authority.Length > 0 || Audience.Length > 0;
}
