using System.Globalization;
using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>
/// Parses <c>redis[s]://[[user]:password@]host[:port][/database]</c>; user and password may be percent-encoded. Throws <see cref="FormatException"/> for
/// anything else, without the value. Pure.
/// </summary>
internal static class RedisUrl
{
    private const int DefaultPort = 6379;

    /// <summary>Whether the text is a URL of any scheme; a configuration may hold <c>://</c> within a password.</summary>
    public static bool IsUrl(string text) => text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var end && !text.AsSpan(0, end).ContainsAny(',', '=');

    public static ConfigurationOptions Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("redis" or "rediss")
            || Uri.CheckHostName(address.DnsSafeHost) is UriHostNameType.Unknown || address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            throw new FormatException("Not a Redis URL.");
        }

        var configuration = new ConfigurationOptions { Ssl = address.Scheme is "rediss" };
        configuration.EndPoints.Add(address.DnsSafeHost, address.IsDefaultPort ? DefaultPort : address.Port);
        if (address.UserInfo.Split(':', 2) is [var user, var password])
        {
            configuration.User = user.Length > 0 ? Uri.UnescapeDataString(user) : null;
            configuration.Password = Uri.UnescapeDataString(password);
        }
        else if (address.UserInfo.Length > 0)
        {
            throw new FormatException("The URL has a user without a password.");
        }

        if (address.AbsolutePath.Trim('/') is { Length: > 0 } database)
        {
            configuration.DefaultDatabase = int.TryParse(database, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new FormatException("The path of a Redis URL must be a database number.");
        }

        return configuration;
    }
}
