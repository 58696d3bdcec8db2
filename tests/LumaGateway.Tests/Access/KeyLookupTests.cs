using LumaGateway.Access;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Access;

/// <summary>
/// A key is looked up by its digest, which no caller can steer byte by byte: that is why the time of a refusal tells nothing of how near a wrong key
/// is to a right one.
/// </summary>
public sealed class KeyLookupTests
{
    private const string Right = "lgk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

    [Fact]
    public void A_client_is_found_by_the_key_whose_digest_is_set_and_by_no_key_near_it()
    {
        using var gateway = new Gateway().With("Access:Clients:0:KeySha256", Gateway.Digest(Right));
        var clients = gateway.Services.GetRequiredService<ClientDirectory>();
        string[] wrong = [new('x', Right.Length), Right[..24] + new string('x', Right.Length - 24), Right[..^1] + "x", "x" + Right[1..], Right[..^1], Right + "x"];

        Assert.Equal("tests", clients.Find(Right)?.Name);
        Assert.All(wrong, key => Assert.Null(clients.Find(key)));
    }

    [Fact]
    public void The_digest_itself_is_no_key()
    {
        using var gateway = new Gateway().With("Access:Clients:0:KeySha256", Gateway.Digest(Right));

        Assert.Null(gateway.Services.GetRequiredService<ClientDirectory>().Find(Gateway.Digest(Right)));
    }
}
