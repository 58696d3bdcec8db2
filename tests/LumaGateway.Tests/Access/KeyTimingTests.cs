using LumaGateway.Access;
using LumaGateway.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Access;

/// <summary>
/// That the time of refusing tells nothing follows from the look-up: it is by the key's digest, which nobody can steer byte by byte. This
/// measures it: the fastest of many rounds, which other work on the machine does not touch.
/// </summary>
public sealed class KeyTimingTests
{
    private const string Right = "lgk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

    [Fact]
    public void Refusing_a_wrong_key_takes_as_long_however_near_it_is_to_a_right_one()
    {
        using var gateway = new Gateway().With("Access:Clients:0:KeySha256", Gateway.Digest(Right));
        var clients = gateway.Services.GetRequiredService<ClientDirectory>();
        string[] keys = [new('x', Right.Length), Right[..24] + new string('x', Right.Length - 24), Right[..^1] + "x", "x" + Right[1..]];
        var fastest = keys.ToDictionary(key => key, _ => double.MaxValue);

        for (var round = 0; round < 100; round++)
        {
            foreach (var key in keys)
            {
                var begun = TimeProvider.System.GetTimestamp();
                for (var i = 0; i < 1000; i++)
                {
                    Assert.Null(clients.Find(key));
                }

                fastest[key] = Math.Min(fastest[key], TimeProvider.System.GetElapsedTime(begun).TotalNanoseconds / 1000);
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', fastest.Select(one => $"{one.Key}: {one.Value:F1} ns")));
        Assert.True(fastest.Values.Max() < fastest.Values.Min() * 1.25, "More than a quarter apart.");
    }
}
