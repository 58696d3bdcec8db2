using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Access;

/// <summary>
/// Authenticates clients by a JWT of the configured issuer. Uses the options, key set and token handlers of JwtBearer, but not its middleware, which would slow
/// down requests with a key. Thread-safe.
/// </summary>
internal sealed partial class JwtClients
{
    private const string CriticalHeader = "crit";

    private readonly JwtBearerOptions _bearer;
    private readonly JwtOptions _jwt;
    private readonly ClientLimiters _limiters;
    private readonly ILogger<JwtClients> _logger;
    private readonly TokenBucket _warnings;
    private readonly TokenValidationParameters? _parameters;
    private readonly IssuerKeys? _keys;

    public JwtClients(
        IOptionsMonitor<JwtBearerOptions> bearer, IOptions<AccessOptions> access, ClientLimiters limiters, TimeProvider clock, ILogger<JwtClients> logger)
    {
        _warnings = new TokenBucket(clock);
        (_bearer, _jwt, _limiters, _logger) = (bearer.Get(JwtBearerDefaults.AuthenticationScheme), access.Value.Jwt, limiters, logger);
        if (_jwt.IsConfigured)
        {
            _parameters = _bearer.TokenValidationParameters.Clone();
            _parameters.ConfigurationManager = (BaseConfigurationManager)_bearer.ConfigurationManager!;
            _keys = new IssuerKeys(_bearer.ConfigurationManager!, clock, logger);
        }
    }

    /// <summary>Whether a bearer credential has the form of a signed JWT, and an issuer is configured. Client keys contain no dot.</summary>
    public bool HasJwtFormat(ReadOnlySpan<char> credential) => _parameters is not null && credential.Count('.') == 2;

    /// <summary>The problem detail for a token that is too large.</summary>
    public Refusal TooLarge => new($"The token is longer than {_jwt.MaxTokenBytes} bytes, the limit of this gateway (Access:Jwt:MaxTokenBytes).");

    /// <summary>Authenticates a token. The client is null if the token is refused.</summary>
    public async ValueTask<(Client? Client, RefusalReason Reason)> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > _jwt.MaxTokenBytes)
        {
            if (_warnings.TryTake(1, 1, out _))
            {
                Log.TooLarge(_logger, token.Length, _jwt.MaxTokenBytes);
            }

            return (null, RefusalReason.TokenTooLarge);
        }

        if (ParsePlausible(token) is not { } parsed)
        {
            return (null, RefusalReason.InvalidToken);
        }

        if (!await _keys!.AreAvailableAsync(cancellationToken))
        {
            return (null, RefusalReason.IssuerUnavailable);
        }

        var result = await _bearer.TokenHandlers[0].ValidateTokenAsync(parsed, _parameters).WaitAsync(cancellationToken);
        if (result.IsValid)
        {
            var name = NameOf((JsonWebToken)result.SecurityToken);
            return (name is null ? null : ClientOf(name, (JsonWebToken)result.SecurityToken), RefusalReason.InvalidToken);
        }

        // The exception's message may contain parts of the token.
        Log.TokenRejected(_logger, result.Exception?.GetType().Name ?? "unknown");
        return (null, RefusalReason.InvalidToken);
    }

    /// <summary>
    /// Parses a token. Returns null if it is invalid with any key: malformed, or with a wrong algorithm, audience or lifetime, or without a client name. Runs before
    /// the key set is fetched, so that a malformed token causes no fetch. Does not check the signature.
    /// </summary>
    private JsonWebToken? ParsePlausible(string token)
    {
        try
        {
            var parsed = new JsonWebToken(token);
            var isPlausible = _parameters!.ValidAlgorithms.Contains(parsed.Alg)
                && parsed.EncodedSignature.Length > 0
                && parsed.Audiences.Contains(_jwt.Audience)
                && _parameters.LifetimeValidator(TimeOf(parsed.ValidFrom), TimeOf(parsed.ValidTo), parsed, _parameters);
            if (isPlausible)
            {
                return NameOf(parsed) is null ? null : parsed;
            }

            Log.TokenRejected(_logger, "Implausible");
        }
#pragma warning disable CA1031 // untrusted input: any exception means that it is not a token
        catch
#pragma warning restore CA1031
        {
            Log.TokenRejected(_logger, "Unreadable");
        }

        return null;

        static DateTime? TimeOf(DateTime time) => time == DateTime.MinValue ? null : time;
    }

    /// <summary>Returns the client name in a token. Returns null if it has none, or has a critical header (RFC 7515, section 4.1.11), which the gateway does not support.</summary>
    private string? NameOf(JsonWebToken token)
    {
        if (token.TryGetHeaderValue<object>(CriticalHeader, out _))
        {
            Log.TokenRejected(_logger, "CriticalHeader");
            return null;
        }

        if (token.TryGetPayloadValue<string>(_jwt.ClientNameClaim, out var name) && name is not null && Client.IsGroup(name)) // the value of a JSON null is null, and the method returns true
        {
            return name;
        }

        Log.TokenRejected(_logger, "NoClientName");
        return null;
    }

    private Client ClientOf(string name, JsonWebToken token)
    {
        var permissions = token.Claims
            .Where(claim => claim.Type == _jwt.RightsClaim)
            .SelectMany(claim => claim.Value.Split(' '))
            .Aggregate(Permissions.None, (permissions, word) => PermissionNames.TryParse(word, out var permission) ? permissions | permission : permissions);
        name = Client.JwtPrefix + name;
        var group = _jwt.GroupClaim.Length > 0 && token.TryGetPayloadValue<string>(_jwt.GroupClaim, out var claimed) && claimed is not null && Client.IsGroupOfToken(claimed) ? claimed : name;
        return new Client(name, permissions, _limiters.Of(name)) { Group = group };
    }

    private static partial class Log
    {
        [LoggerMessage(1021, LogLevel.Debug, "A JWT was rejected: {Reason}.")]
        public static partial void TokenRejected(ILogger logger, string reason);

        [LoggerMessage(1023, LogLevel.Warning, "A JWT of {Length} bytes was refused: Access:Jwt:MaxTokenBytes is {Limit}. Logged at most once a second.")]
        public static partial void TooLarge(ILogger logger, int length, int limit);
    }
}
