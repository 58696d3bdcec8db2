using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Hosting;

/// <summary><c>key new</c>: makes a client key, 256 random bits, and what to put where. Nothing is stored.</summary>
internal static class KeyCommand
{
    private const string Prefix = "lgk_"; // for scanners that look for keys in places where there should be none

    /// <summary>False where the arguments are not this command's.</summary>
    public static bool TryRun(string[] args, TextWriter output)
    {
        if (args is not ["key", "new"])
        {
            return false;
        }

        var key = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        output.WriteLine($"""
            Key, for the client alone (send as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'):
              {key}
            Its hash, for the gateway's settings (with a name of your choice, for a number that is free):
              Access__Clients__0__Name=my-service
              Access__Clients__0__KeySha256={digest}
            """);
        return true;
    }
}
