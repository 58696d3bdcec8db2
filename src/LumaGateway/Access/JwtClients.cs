using System.Text.RegularExpressions;
using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Access;

/// <summary>
/// Clients by JWT of the configured issuer. Tokens are checked with JwtBearer's own options, key set and token handlers, but without its
/// middleware, which every request with a key would have to pay for. Thread-safe.
/// </summary>
internal sealed partial class JwtClients
{
    private const string CriticalHeader = "crit";

    private readonly JwtBearerOptions _bearer;
    private readonly JwtOptions _jwt;
    private readonly ClientLimiters _allowances;
    private readonly ILogger<JwtClients> _logger;
    private readonly TokenBucket _warnings;
    private readonly TokenValidationParameters? _parameters;
    private readonly IssuerKeys? _keys;

    public JwtClients(
        IOptionsMonitor<JwtBearerOptions> bearer, IOptions<AccessOptions> access, ClientLimiters allowances, TimeProvider clock, ILogger<JwtClients> logger)
    {
        _warnings = new TokenBucket(clock);
        (_bearer, _jwt, _allowances, _logger) = (bearer.Get(JwtBearerDefaults.AuthenticationScheme), access.Value.Jwt, allowances, logger);
        if (_jwt.IsConfigured)
        {
            _parameters = _bearer.TokenValidationParameters.Clone();
            _parameters.ConfigurationManager = (BaseConfigurationManager)_bearer.ConfigurationManager!;
            _keys = new IssuerKeys(_bearer.ConfigurationManager!, clock, logger);
        }
    }

    /// <summary>Whether a bearer credential has the form of a signed JWT, and an issuer is configured. Client keys hold no dot.</summary>
    public bool MayBeToken(ReadOnlySpan<char> credential) => _parameters is not null && credential.Count('.') == 2;

    /// <summary>What a caller is told whose token is too large.</summary>
    public Denial TooLarge => new($"The token has more than {_jwt.MaxTokenBytes} bytes, the most that this gateway takes (Access:Jwt:MaxTokenBytes).");

    /// <summary>Null where the token is not to be believed, or names no client, and why.</summary>
    public async ValueTask<(Client? Client, RefusalReason Otherwise)> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > _jwt.MaxTokenBytes)
        {
            if (_warnings.TryTake(1, 1, out _))
            {
                Log.TooLarge(_logger, token.Length, _jwt.MaxTokenBytes);
            }

            return (null, RefusalReason.TokenTooLarge);
        }

        if (ReadPlausible(token) is not { } read)
        {
            return (null, RefusalReason.InvalidToken);
        }

        if (!await _keys!.AreThereAsync(cancellationToken))
        {
            return (null, RefusalReason.IssuerUnavailable);
        }

        var result = await _bearer.TokenHandlers[0].ValidateTokenAsync(read, _parameters).WaitAsync(cancellationToken);
        if (result.IsValid)
        {
            var named = NameOf((JsonWebToken)result.SecurityToken);
            return (named is null ? null : ClientOf(named, (JsonWebToken)result.SecurityToken), RefusalReason.InvalidToken);
        }

        // The exception's own text may hold parts of the token.
        Log.NotBelieved(_logger, result.Exception?.GetType().Name ?? "unknown");
        return (null, RefusalReason.InvalidToken);
    }

    /// <summary>
    /// Null where no key could make the token good: it cannot be read, its algorithm, audience or times are wrong, or it names no client. Asked before the issuer is,
    /// so that whoever sends garbage has nothing fetched. Its signature is not checked here.
    /// </summary>
    private JsonWebToken? ReadPlausible(string token)
    {
        try
        {
            var read = new JsonWebToken(token);
            var isPlausible = _parameters!.ValidAlgorithms.Contains(read.Alg)
                && read.EncodedSignature.Length > 0
                && read.Audiences.Contains(_jwt.Audience)
                && _parameters.LifetimeValidator(TimeOf(read.ValidFrom), TimeOf(read.ValidTo), read, _parameters);
            if (isPlausible)
            {
                return NameOf(read) is null ? null : read;
            }

            Log.NotBelieved(_logger, "Implausible");
        }
#pragma warning disable CA1031 // bytes of a stranger: whatever reading them throws, they are no token
        catch
#pragma warning restore CA1031
        {
            Log.NotBelieved(_logger, "Unreadable");
        }

        return null;

        static DateTime? TimeOf(DateTime time) => time == DateTime.MinValue ? null : time;
    }

    /// <summary>The client that a token names. Null where it names none, or has a critical header (RFC 7515, section 4.1.11): none is understood here.</summary>
    private string? NameOf(JsonWebToken token)
    {
        if (token.TryGetHeaderValue<object>(CriticalHeader, out _))
        {
            Log.NotBelieved(_logger, "CriticalHeader");
            return null;
        }

        if (token.TryGetPayloadValue<string>(_jwt.ClientNameClaim, out var name) && name is not null && NamePattern().IsMatch(name)) // true and null for a JSON null
        {
            return name;
        }

        Log.NotBelieved(_logger, "NoClientName");
        return null;
    }

    private Client ClientOf(string name, JsonWebToken token)
    {
        var rights = token.Claims
            .Where(claim => claim.Type == _jwt.RightsClaim)
            .SelectMany(claim => claim.Value.Split(' '))
            .Aggregate(Rights.None, (rights, word) => PermissionNames.TryParse(word, out var right) ? rights | right : rights);
        name = Client.JwtPrefix + name;
        return new Client(name, rights, _allowances.Of(name));
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._@:/|-]{1,128}\z")]
    private static partial Regex NamePattern();

    private static partial class Log
    {
        [LoggerMessage(1021, LogLevel.Debug, "A JWT was not believed: {Reason}.")]
        public static partial void NotBelieved(ILogger logger, string reason);

        [LoggerMessage(1023, LogLevel.Warning, "A JWT of {Length} bytes was refused; Access:Jwt:MaxTokenBytes is {Limit}. Told once a second at most.")]
        public static partial void TooLarge(ILogger logger, int length, int limit);
    }
}
