namespace LumaGateway.Access;

/// <summary>An issuer whose JWTs are accepted beside client keys. Bound to <c>Access:Jwt</c>; read once, at the start.</summary>
internal sealed class JwtOptions
{
    /// <summary>The issuer's address; its keys are found through <c>.well-known/openid-configuration</c> below it.</summary>
    public string Authority { get; set; } = "";

    /// <summary>What <c>aud</c> must hold: the name under which the issuer knows this gateway.</summary>
    public string Audience { get; set; } = "";

    /// <summary>The claim that names the client.</summary>
    public string ClientNameClaim { get; set; } = "client_id";

    /// <summary>The claim that lists its rights, separated by spaces or as an array. Words that are no rights are passed over.</summary>
    public string RightsClaim { get; set; } = "scope";

    /// <summary>The largest token that is read, in bytes. <c>Server:MaxHeaderBytes</c> bounds it too.</summary>
    public int MaxTokenBytes { get; set; } = 8 * 1024;

    public bool IsConfigured => Authority.Length > 0 || Audience.Length > 0;
}
