using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Hosting;

/// <summary><c>key new</c>: creates a client key of 256 random bits and prints it with the settings that accept it. Stores nothing.</summary>
internal static class KeyCommand
{
    private const string Prefix = "lgk_"; // lets secret scanners recognize a leaked key

    public static void Run(TextWriter output)
    {
        var key = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        output.WriteLine($"""
            Key, for the client only (send it as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'):
              {key}
            The SHA-256 of the key, for the gateway's settings (choose a name, and an index that is not in use):
              Access__Clients__0__Name=my-service
              Access__Clients__0__KeySha256={digest}
            """);
    }
}
