using LumaGateway.Access;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Access;

/// <summary>
/// A key is looked up by its digest. A caller cannot choose the bytes of the digest, so the time of a refusal reveals nothing about a valid key.
/// </summary>
public sealed class KeyLookupTests
{
    private const string ValidKey = "lgk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

    [Fact]
    public void A_client_is_found_by_its_key_and_not_by_a_similar_key()
    {
        using var gateway = new Gateway().With("Access:Clients:0:KeySha256", Gateway.Digest(ValidKey));
        var clients = gateway.Services.GetRequiredService<ClientDirectory>();
        string[] wrong = [new('x', ValidKey.Length), ValidKey[..24] + new string('x', ValidKey.Length - 24), ValidKey[..^1] + "x", "x" + ValidKey[1..], ValidKey[..^1], ValidKey + "x"];

        Assert.Equal("tests", clients.Find(ValidKey)?.Name);
        Assert.All(wrong, key => Assert.Null(clients.Find(key)));
    }

    [Fact]
    public void The_digest_is_not_a_valid_key()
    {
        using var gateway = new Gateway().With("Access:Clients:0:KeySha256", Gateway.Digest(ValidKey));

        Assert.Null(gateway.Services.GetRequiredService<ClientDirectory>().Find(Gateway.Digest(ValidKey)));
    }
}
