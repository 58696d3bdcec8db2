using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnitV3;
using LumaGateway.Contracts;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace LumaGateway.Tests.Architecture;

/// <summary>Dependencies between rooms run one way, for every class. <c>docs/architecture.md</c> shows the rule.</summary>
public sealed class LayeringTests
{
    private const string Root = "LumaGateway";

    /// <summary>The rooms from the lowest to the highest. The rooms of one line do not depend on each other.</summary>
    private static readonly string[][] Layers =
    [
        ["Contracts", "Configuration", "Documentation", "Time", "Telemetry"],
        ["Problems"],
        ["Redis"],
        ["Jobs"],
        ["Access", "Caching", "Upstreams"],
        ["Generations"],
        ["Polling"],
        ["LongPolling"],
        ["Callbacks", "Assets"],
        ["Proxy"],
        ["Hosting", "Creating"],
        ["OpenApi", "Status"],
    ];

    private static readonly ArchUnitNET.Domain.Architecture Code = new ArchLoader().LoadAssemblies(typeof(Generation).Assembly).Build();

    public static TheoryData<string> Rooms => [.. Layers.SelectMany(layer => layer)];

    [Fact]
    public void Every_room_has_a_layer() => Assert.Equal(
        typeof(Generation).Assembly.GetTypes().Select(type => type.Namespace?.Split('.')).Where(parts => parts is [Root, _, ..]).Select(parts => parts![1]).Distinct().Order(),
        Layers.SelectMany(layer => layer).Order());

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_depends_only_on_rooms_of_lower_layers(string room)
    {
        var layer = Array.FindIndex(Layers, rooms => rooms.Contains(room));
        var forbidden = Layers[layer..].SelectMany(rooms => rooms).Where(other => other != room).ToHashSet();
        var types = Code.Types.Where(type => RoomOf(type) == room).ToList();

        Assert.NotEmpty(types);
        Assert.Equal("", string.Join('\n', types
            .SelectMany(type => type.Dependencies.Select(dependency => dependency.Target).Where(target => forbidden.Contains(RoomOf(target)) && !IsBoundByGeneratedCode(type, target))
                .Select(target => $"{type.FullName} uses {target.FullName}"))
            .Distinct()
            .Order()));
    }

    private static string RoomOf(IType type) => type.FullName.Split('.') is [Root, var room, _, ..] ? room : "";

    /// <summary>The configuration binding generator creates one class for all options, so every class that registers options depends on all.</summary>
    private static bool IsBoundByGeneratedCode(IType type, IType target) =>
        type.Name.EndsWith("Services", StringComparison.Ordinal) && (target.Name.EndsWith("Options", StringComparison.Ordinal) || target.Name is "AssetMode" or "AccessLogMode" or "OwnershipMode");

    [Fact]
    public void A_dialect_uses_no_network_and_no_clock() =>
        Types().That().ResideInNamespaceMatching($@"^{Root}\.Upstreams\.(Dialects|Wire)(\.|$)")
            .Should().NotDependOnAnyTypesThat().HaveFullNameMatching(@"^System\.(TimeProvider|Net\.Http\..*|Net\.Sockets\..*)$")
            .Check(Code);

    [Fact]
    public void Only_contracts_are_public() =>
        Types().That().DoNotResideInNamespace($"{Root}.Contracts").And().ResideInNamespaceMatching($@"^{Root}\.")
            .And().DoNotHaveName("UpstreamFault") // public, because it is a parameter of a theory
            .Should().NotBePublic()
            .Check(Code);
}
