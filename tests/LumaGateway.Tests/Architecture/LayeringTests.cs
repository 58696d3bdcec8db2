using ArchUnitNET.Loader;
using ArchUnitNET.xUnitV3;
using LumaGateway.Contracts;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace LumaGateway.Tests.Architecture;

/// <summary>Program → Features, Errors → Access | Caching | Upstreams → Sharing → Contracts | Telemetry.</summary>
public sealed class LayeringTests
{
    private const string Root = "LumaGateway";

    private static readonly ArchUnitNET.Domain.Architecture Code = new ArchLoader().LoadAssemblies(typeof(Generation).Assembly).Build();

    [Theory]
    [InlineData("Contracts", "Telemetry", "Sharing", "Access", "Caching", "Upstreams", "Errors", "Features")]
    [InlineData("Telemetry", "Sharing", "Access", "Caching", "Upstreams", "Errors", "Features")]
    [InlineData("Sharing", "Access", "Caching", "Upstreams", "Errors", "Features")]
    [InlineData("Access", "Caching", "Upstreams", "Errors", "Features")]
    [InlineData("Caching", "Access", "Upstreams", "Errors", "Features")]
    [InlineData("Upstreams", "Access", "Caching", "Errors", "Features")]
    [InlineData("Errors", "Features")]
    public void A_layer_does_not_know_those_above_and_beside_it(string layer, params string[] unknown)
    {
        foreach (var other in unknown)
        {
            // What binds options is generated into one type that names every options class, and …Services call it.
            Types().That().ResideInNamespaceMatching($@"^{Root}\.{layer}(\.|$)").And().DoNotHaveNameMatching("Services$")
                .Should().NotDependOnAny(Types().That().ResideInNamespaceMatching($@"^{Root}\.{other}(\.|$)"))
                .Check(Code);
        }
    }

    [Fact]
    public void Features_refer_to_each_other_one_way_only()
    {
        string[] features = ["Server", "Generations", "Waiting", "Callbacks", "Passthrough", "Assets", "OpenApi", "Status", "Health", "Check", "Help"];
        Assert.Equal(Features().Order(), features.Order());
        foreach (var (index, feature) in features.Index())
        {
            var later = string.Join('|', features[(index + 1)..].DefaultIfEmpty("none"));
            Types().That().ResideInNamespaceMatching($@"^{Root}\.Features\.{feature}(\.|$)").And().DoNotHaveNameMatching("Services$")
                .Should().NotDependOnAny(Types().That().ResideInNamespaceMatching($@"^{Root}\.Features\.({later})(\.|$)"))
                .WithoutRequiringPositiveResults()
                .Check(Code);
        }
    }

    [Fact]
    public void A_dialect_knows_no_network_and_no_clock() =>
        Types().That().ResideInNamespaceMatching($@"^{Root}\.Upstreams\.(Dialects|Wire)(\.|$)")
            .Should().NotDependOnAnyTypesThat().HaveFullNameMatching(@"^System\.(TimeProvider|Net\.Http\..*|Net\.Sockets\..*)$")
            .Check(Code);

    [Fact]
    public void Only_contracts_are_public() =>
        Types().That().DoNotResideInNamespace($"{Root}.Contracts").And().ResideInNamespaceMatching($@"^{Root}\.")
            .Should().NotBePublic()
            .Check(Code);

    private static IEnumerable<string> Features() => typeof(Generation).Assembly.GetTypes()
        .Select(type => type.Namespace?.Split('.'))
        .Where(parts => parts is [Root, "Features", ..])
        .Select(parts => parts![2])
        .Distinct();
}
